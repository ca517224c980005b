import { LC500Error } from '../../shared/errors.ts';
import type { Capacity } from './capacity.ts';
import { Pace } from './pace.ts';
import { TenantLines, type TenantLine, type Ticket } from './tenant-lines.ts';
import { refusalOf } from './verdict.ts';
import { windowOf } from './window.ts';

/** Requests that may be under way at one gateway at all, and while there is no runner to run them. */
const MOST = { requests: 10_000, withoutRunner: 1000 };
/** Jobs of a tenant in the queue while no runner is known; the first one that comes is not to be full of them. */
const WINDOW_WITHOUT_RUNNER = 6;
const RETRY_WITHOUT_RUNNER_S = 5;

/**
 * Who may wait for a sandbox, and where:
 *
 *     request ──→ refused         it would wait longer than it may (verdict.ts)
 *             ──→ held here       its tenant has enough jobs in the queue (window.ts)
 *             ──→ in the queue    in the end, each tenant's in the order they came
 *
 * It goes by what was measured of late: each tenant's time in sandboxes, from its replies; sandboxes and who else
 * uses them, from the runners' heartbeats. A request costs no word with Redis and no waiting in an empty line.
 */
export class Admission {
  readonly #lines = new TenantLines();
  readonly #pace = new Pace();
  readonly #holding = new Set<TenantLine>();
  readonly #tenantWaitMs: number;
  readonly #hasBlueprints: boolean;
  #capacity: Capacity | undefined;
  #held = 0;
  #requests = 0;

  constructor(options: { tenantWaitMs: number; hasBlueprints: boolean }) {
    this.#tenantWaitMs = options.tenantWaitMs;
    this.#hasBlueprints = options.hasBlueprints;
  }

  /** Requests that wait here. */
  get held(): number {
    return this.#held;
  }

  /** How long the oldest has, milliseconds. */
  get oldestHeldMs(): number {
    const now = performance.now();
    return Math.max(0, ...[...this.#holding].map(({ held: [first] }) => (first ? now - first.cameAt : 0)));
  }

  /** Until all that is under way will be done, milliseconds. */
  get backlogMs(): number {
    return this.isWithoutRunner ? 0 : this.#lines.workMs / this.#pace.read(this.#sandboxes);
  }

  /** Requests that ever came, a counter. */
  get requests(): number {
    return this.#requests;
  }

  /**
   * @param leftMs until its deadline
   * @param start puts its job into the queue; called now, or when it is its turn
   * @throws LC500Error `overloaded` or `tenant_overloaded`
   */
  enter(tenant: string, leftMs: number, start: () => void): Ticket {
    const now = performance.now();
    this.#requests++;
    const line = this.#lines.see(tenant, now);
    this.#refuse(line, leftMs, now);
    const ticket: Ticket = { line, start, cameAt: now, hasStarted: false };
    this.#lines.add(line, 1);
    if (line.held.length === 0 && line.inFlight < this.#windowOf(line, now)) begin(ticket);
    else this.#hold(ticket);
    return ticket;
  }

  /** @param sandboxMs what the request took there; 0: it was in none, or nobody knows */
  leave(ticket: Ticket, sandboxMs: number): void {
    const { line } = ticket;
    this.#lines.add(line, -1);
    if (ticket.hasStarted) line.inFlight--;
    else this.#release(line, line.held.indexOf(ticket));
    if (sandboxMs > 0) {
      this.#lines.learn(line, sandboxMs);
      this.#pace.done(sandboxMs);
    }
    if (line.held.length > 0) this.#letOn(line);
  }

  /** What is there may have changed. @param sinceMs since the last call */
  update(capacity: Capacity | undefined, sinceMs: number): void {
    this.#capacity = capacity ?? this.#capacity;
    this.#pace.tick(sinceMs, !this.isWithoutRunner && this.#lines.count > 2 * this.#sandboxes);
    this.#lines.forget(performance.now());
    for (const line of this.#holding) this.#letOn(line);
  }

  #refuse(line: TenantLine, leftMs: number, now: number): void {
    const { count } = this.#lines;
    const most = this.isWithoutRunner ? MOST.withoutRunner : MOST.requests;
    if (count >= most) throw overloaded('overloaded', RETRY_WITHOUT_RUNNER_S, `${count} requests wait`);
    if (this.isWithoutRunner || count < this.#sandboxes) return;
    const refusal = refusalOf(line, {
      lines: this.#lines,
      pace: this.#pace.read(this.#sandboxes),
      isContended: this.#isContended(line, now),
      leftMs,
      tenantWaitMs: this.#tenantWaitMs,
    });
    if (!refusal) return;
    const { code, retryAfter, waitMs } = refusal;
    throw overloaded(code, retryAfter, `it would wait ${Math.round(waitMs)} ms`);
  }

  /** Or it is not known yet. */
  get isWithoutRunner(): boolean {
    return (this.#capacity?.sandboxes ?? 0) === 0;
  }

  /** That this gateway may count on. */
  get #sandboxes(): number {
    const { sandboxes = 0, otherGateways = 0 } = this.#capacity ?? {};
    return sandboxes / (1 + otherGateways);
  }

  #isContended(line: TenantLine, now: number): boolean {
    return (this.#capacity?.tenants ?? 0) > 1 || this.#lines.hasOthers(line, now);
  }

  #windowOf(line: TenantLine, now: number): number {
    if (!this.#capacity || this.isWithoutRunner) return WINDOW_WITHOUT_RUNNER;
    const { sandboxes, jobs, otherGateways } = this.#capacity;
    const isFlood = this.#isContended(line, now) && this.#lines.isAboveOthers(line);
    const gateways = 1 + otherGateways;
    const room = { sandboxes, jobs, gateways, hasBlueprints: this.#hasBlueprints, isFlood };
    return windowOf(room, line.isMeanKnown ? line.meanMs : undefined);
  }

  #hold(ticket: Ticket): void {
    ticket.line.held.push(ticket);
    this.#holding.add(ticket.line);
    this.#held++;
  }

  #release(line: TenantLine, at: number): Ticket | undefined {
    const [ticket] = line.held.splice(at, 1);
    this.#held--;
    if (line.held.length === 0) this.#holding.delete(line);
    return ticket;
  }

  #letOn(line: TenantLine): void {
    const window = this.#windowOf(line, performance.now());
    while (line.held.length > 0 && line.inFlight < window) {
      const next = this.#release(line, 0);
      if (next) begin(next);
    }
  }
}

function begin(ticket: Ticket): void {
  ticket.hasStarted = true;
  ticket.line.inFlight++;
  ticket.start();
}

function overloaded(code: 'overloaded' | 'tenant_overloaded', retryAfter: number, message: string) {
  return new LC500Error(code, message, { retryAfter });
}
