import type { Backlog } from './predicted-wait.ts';

/** A request that was let in. */
export interface Ticket {
  readonly line: TenantLine;
  /** Puts its job into the queue. */
  readonly start: () => void;
  readonly cameAt: number;
  hasStarted: boolean;
}

/** One tenant's requests at this gateway. */
export interface TenantLine extends Backlog {
  /** Not answered yet. */
  count: number;
  /** Of these, the ones whose jobs are in the queue or in a runner's hands. */
  inFlight: number;
  /** The others, in the order they came. */
  readonly held: Ticket[];
  meanMs: number;
  isMeanKnown: boolean;
  seenAt: number;
}

/** What a request is taken for of which nothing is known, and at the least, milliseconds in a sandbox. */
const UNKNOWN_MS = 10;
const LEAST_MS = 0.5;
/** How much of its mean a tenant's latest run is. */
const WEIGHT = 0.2;
/** Who came within this time wants sandboxes, milliseconds. */
const WANTS_MS = 2000;
/** Tenants that want alike differ by less than this: they all wait, and none of them is a flood. */
const MUCH_MORE = 2;
/** An idle tenant is forgotten after this time, or when there are too many, milliseconds. */
const REMEMBER_MS = 60_000;
const REMEMBER = 10_000;

/** All tenants that have, or had of late, requests at this gateway; how much work each brings is learned. */
export class TenantLines {
  readonly #lines = new Map<string, TenantLine>();
  #latest: TenantLine | undefined;
  #anotherSeenAt = -Infinity;
  #count = 0;
  #workMs = 0;
  /** Tenants with requests that have not been answered yet. */
  #waiting = 0;

  /** Requests of all tenants that have not been answered yet. */
  get count(): number {
    return this.#count;
  }

  /** Their expected time in sandboxes, milliseconds. */
  get workMs(): number {
    return this.#workMs;
  }

  /** The line of a tenant from whom a request has just come. */
  see(tenant: string, now: number): TenantLine {
    const known = this.#lines.get(tenant);
    const line = known ?? newLine();
    if (!known) this.#lines.set(tenant, line);
    if (this.#latest && this.#latest !== line) this.#anotherSeenAt = this.#latest.seenAt;
    this.#latest = line;
    line.seenAt = now;
    return line;
  }

  /** Whether other tenants have requests here, or had of late. */
  hasOthers(line: TenantLine, now: number): boolean {
    if (this.#count > line.count) return true;
    const seenAt = line === this.#latest ? this.#anotherSeenAt : (this.#latest?.seenAt ?? -Infinity);
    return now - seenAt < WANTS_MS;
  }

  /** @param by requests that came, or were answered (negative) */
  add(line: TenantLine, by: number): void {
    const wasWaiting = line.count > 0;
    line.count += by;
    this.#waiting += Number(line.count > 0) - Number(wasWaiting);
    this.#count += by;
    this.#workMs = this.#count === 0 ? 0 : this.#workMs + by * line.meanMs;
  }

  /** @param ms what one of the tenant's requests took in a sandbox */
  learn(line: TenantLine, ms: number): void {
    const before = line.meanMs;
    line.meanMs = Math.max(LEAST_MS, line.isMeanKnown ? before + WEIGHT * (ms - before) : ms);
    line.isMeanKnown = true;
    this.#workMs += line.count * (line.meanMs - before);
  }

  /** Tenants with requests that have not been answered yet, without this one. */
  *othersWaiting(line: TenantLine): Generator<TenantLine> {
    for (const other of this.#lines.values()) if (other !== line && other.count > 0) yield other;
  }

  /** Whether a tenant brings much more work than the others that bring some do on the mean. */
  isAboveOthers(line: TenantLine): boolean {
    const own = line.count * line.meanMs;
    const others = this.#waiting - Number(line.count > 0);
    return others === 0 || own * others > MUCH_MORE * (this.#workMs - own);
  }

  forget(now: number): void {
    const tooMany = this.#lines.size > REMEMBER;
    for (const [tenant, { count, seenAt }] of this.#lines)
      if (count === 0 && (tooMany || now - seenAt > REMEMBER_MS)) this.#lines.delete(tenant);
  }
}

function newLine(): TenantLine {
  return { count: 0, inFlight: 0, held: [], meanMs: UNKNOWN_MS, isMeanKnown: false, seenAt: -Infinity };
}
