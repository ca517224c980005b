import type { Logger } from '../shared/log.ts';
import { FairQueue } from './fair-queue.ts';
import type { Launcher } from './launcher/launcher.ts';
import { SandboxPlaces } from './sandbox-places.ts';
import { SandboxProcess, type SandboxLimits, type SandboxOutcome } from './sandbox-process.ts';
import { Lending } from './lending.ts';
import { isInTheWay, TenantAccounts, type AccountedRun, type TenantAccount } from './tenant-accounts.ts';
import { Usage } from './usage.ts';

/** How often busy sandboxes are looked at. A bomb grows by some 100 MB in this time. */
const INSPECT_MS = 15;
/**
 * A script that nobody waits for any more is given this long to end by itself: most do, and a new sandbox costs a
 * hundred times what they do. Clients that ask and leave could otherwise keep a runner busy with starting sandboxes.
 */
const MERCY_MS = 25;
/** What a new sandbox costs, and its tenant is charged for one that a run has spoilt. */
const REPLACEMENT_MS = 150;

/**
 * A runner's sandboxes: processes, each with one job at a time (runner/sandbox-places.ts has them there). The next
 * free one goes to the tenant that used the least of them for what it asked (runner/tenant-accounts.ts).
 *
 * A run cannot be interrupted for a fairer one, so beside the `size` sandboxes that are there for all there are
 * `spare` ones (runner/lending.ts): so a tenant whose scripts never end keeps nobody waiting.
 */
export class Sandboxes {
  /** How much they are used. */
  readonly usage = new Usage();
  readonly #idle: SandboxProcess[] = [];
  readonly #accounts = new TenantAccounts();
  readonly #waiting = new FairQueue<(sandbox: SandboxProcess) => void>((account) =>
    this.#accounts.dueAt(account),
  );
  readonly #busy = new Map<SandboxProcess, AccountedRun>();
  readonly #places: SandboxPlaces;
  readonly #size: number;
  readonly #spare: number;
  readonly #lending: Lending;
  #inspector: NodeJS.Timeout | undefined;

  constructor(options: {
    size: number;
    spare?: number;
    launcher: Launcher;
    limits: SandboxLimits;
    log: Logger;
  }) {
    const { size, spare = 0, launcher, limits, log } = options;
    this.#size = size;
    this.#spare = spare;
    this.#lending = new Lending(spare, () => this.#serve());
    this.#places = new SandboxPlaces({
      create: () => new SandboxProcess(launcher, limits, log),
      onReady: (sandbox) => this.#release(sandbox),
      onEnd: (sandbox) => this.#forget(sandbox),
      log,
    });
  }

  /** Without the spare ones. */
  get size(): number {
    return this.#size;
  }

  /** Jobs that wait for a free sandbox. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Tenants that used a sandbox of late. */
  get tenants(): number {
    return this.#accounts.active();
  }

  /** Starts all sandboxes and waits until the first is ready. */
  async start(): Promise<void> {
    await this.#places.fill(this.#size + this.#spare);
  }

  /**
   * Runs a job in the next free sandbox.
   *
   * @param onStart called when a sandbox takes the job; the parts are asked for only then
   * @param signal ends the job wherever it is: while it waits, or by killing its sandbox
   * @param tenant whose job it is; who gives none is one tenant
   * @param isAsync nobody waits for it, so that it says nothing of how long others wait
   */
  async run(
    parts: readonly Buffer[],
    timeoutMs: number,
    signal: AbortSignal,
    onStart: () => void,
    tenant = '',
    isAsync = false,
  ): Promise<SandboxOutcome> {
    const account = this.#accounts.of(tenant);
    const sandbox = signal.aborted ? undefined : await this.#acquire(account, signal);
    if (!sandbox) return { kind: 'killed', reason: 'abandoned' };
    onStart();
    const endLeftOut = isAsync ? this.usage.leaveOut() : undefined;
    let lastMoment: NodeJS.Timeout | undefined;
    const callOff = (): void => void (lastMoment = setTimeout(() => sandbox.kill('abandoned'), MERCY_MS));
    signal.addEventListener('abort', callOff, { once: true });
    const outcome = await sandbox.run(parts, timeoutMs, isInTheWay(account));
    signal.removeEventListener('abort', callOff);
    clearTimeout(lastMoment);
    endLeftOut?.();
    this.#end(sandbox, outcome);
    return signal.aborted ? { kind: 'killed', reason: 'abandoned' } : outcome;
  }

  async close(): Promise<void> {
    clearInterval(this.#inspector);
    this.#lending.close();
    await this.#places.close();
  }

  async #acquire(account: TenantAccount, signal: AbortSignal): Promise<SandboxProcess | undefined> {
    const free = this.#mayHave(account) ? this.#takeIdle() : undefined;
    if (free) {
      this.#begin(free, account);
      return free;
    }
    return new Promise((resolve) => {
      const give = (sandbox: SandboxProcess): void => {
        signal.removeEventListener('abort', giveUp);
        this.#begin(sandbox, account);
        resolve(sandbox);
      };
      const giveUp = (): void => {
        this.#waiting.remove(account, give);
        resolve(undefined);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(account, give);
      this.#lookAgain();
    });
  }

  /** Whether the tenant may have one of the free sandboxes. */
  #mayHave(account: TenantAccount): boolean {
    return this.#lending.mayHave(account, this.#idle.length, this.#busy);
  }

  #takeIdle(): SandboxProcess | undefined {
    this.#dropDead();
    return this.#idle.pop();
  }

  /** So that the last idle one, if there is one, is alive. */
  #dropDead(): void {
    while (this.#idle.at(-1)?.alive === false) this.#idle.pop();
  }

  #begin(sandbox: SandboxProcess, account: TenantAccount): void {
    this.#busy.set(sandbox, this.#accounts.begin(account));
    this.usage.begin();
    this.#inspector ??= setInterval(() => this.#inspect(), INSPECT_MS);
  }

  #inspect(): void {
    const now = performance.now();
    for (const busy of this.#busy.keys()) busy.inspect(now);
    // The longer they are, the more others may be lent a spare one.
    this.#serve();
  }

  #end(sandbox: SandboxProcess, outcome: SandboxOutcome): void {
    const run = this.#busy.get(sandbox);
    const isSpoilt = outcome.kind === 'memory' || outcome.kind === 'killed' || outcome.kind === 'died';
    if (run) this.#accounts.end(run, isSpoilt ? REPLACEMENT_MS : 0);
    this.#busy.delete(sandbox);
    this.usage.end();
    if (this.#busy.size === 0) {
      clearInterval(this.#inspector);
      this.#inspector = undefined;
    }
    // A process whose isolate burst its limits has grown and may be in any state.
    if (outcome.kind === 'memory') sandbox.kill('memory');
    // Where there is none to give back, its tenant holds one less all the same, and so may have a spare one.
    if (isSpoilt) this.#serve();
    else if (sandbox.hasRoom()) this.#release(sandbox);
    else void this.#empty(sandbox, run);
  }

  /** What runs have left behind must not be another tenant's burden: where it stays, the sandbox is replaced. */
  async #empty(sandbox: SandboxProcess, run: AccountedRun | undefined): Promise<void> {
    this.#serve();
    if (await sandbox.givesBack()) return this.#release(sandbox);
    if (!sandbox.alive) return;
    // Whose run was looked at; most of it is that one's.
    if (run) this.#accounts.charge(run.account, REPLACEMENT_MS);
    sandbox.kill('memory');
  }

  #release(sandbox: SandboxProcess): void {
    if (!sandbox.alive) return;
    this.#idle.push(sandbox);
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      // Before a job is taken out, which must then be given one.
      this.#dropDead();
      const sandbox = this.#idle.at(-1);
      const give = sandbox && this.#waiting.next((account) => this.#mayHave(account));
      if (!give) return this.#lookAgain();
      this.#idle.pop();
      give(sandbox);
    }
  }

  #lookAgain(): void {
    if (this.#idle.length > 0) this.#lending.lookAgain(this.#busy);
  }

  #forget(sandbox: SandboxProcess): void {
    const at = this.#idle.indexOf(sandbox);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
