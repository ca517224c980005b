import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../shared/log.ts';
import type { Launcher } from './launcher/launcher.ts';
import { Usage } from './usage.ts';
import { SandboxProcess, type SandboxLimits, type SandboxOutcome } from './sandbox-process.ts';

/** How often busy sandboxes are looked at. A bomb grows by some 100 MB in this time. */
const INSPECT_MS = 15;
/**
 * A script that nobody waits for any more is given this long to end by itself: most do, and a new sandbox costs a
 * hundred times what they do. Clients that ask and leave could otherwise keep a runner busy with starting sandboxes.
 */
const MERCY_MS = 25;
/** A sandbox that ends before it was ready is tried again after this long, not in a busy loop. */
const RESTART_DELAY_MS = 500;

/**
 * A runner's sandboxes: `size` processes, each with one job at a time. Jobs wait in the order they came;
 * a sandbox that ended is replaced at once.
 */
export class Sandboxes {
  /** How much they are used. */
  readonly usage = new Usage();
  readonly #all = new Set<SandboxProcess>();
  readonly #idle: SandboxProcess[] = [];
  readonly #waiting: ((sandbox: SandboxProcess) => void)[] = [];
  readonly #busy = new Set<SandboxProcess>();
  readonly #create: () => SandboxProcess;
  readonly #size: number;
  readonly #log: Logger;
  #inspector: NodeJS.Timeout | undefined;
  readonly #firstReady = Promise.withResolvers<void>();
  #closing = false;

  constructor(options: { size: number; launcher: Launcher; limits: SandboxLimits; log: Logger }) {
    const { size, launcher, limits, log } = options;
    this.#size = size;
    this.#log = log;
    this.#create = () => new SandboxProcess(launcher, limits, log);
  }

  get size(): number {
    return this.#size;
  }

  get busy(): number {
    return this.#busy.size;
  }

  /** Jobs that wait for a free sandbox. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Starts all sandboxes and waits until the first is ready. */
  async start(): Promise<void> {
    for (let i = 0; i < this.#size; i++) void this.#keep();
    await this.#firstReady.promise;
  }

  /**
   * Runs a job in the next free sandbox.
   *
   * @param onStart called when a sandbox takes the job; the parts are asked for only then
   * @param signal ends the job wherever it is: while it waits, or by killing its sandbox
   */
  async run(
    parts: readonly Buffer[],
    timeoutMs: number,
    signal: AbortSignal,
    onStart: () => void,
  ): Promise<SandboxOutcome> {
    const sandbox = signal.aborted ? undefined : await this.#acquire(signal);
    if (!sandbox) return { kind: 'killed', reason: 'abandoned' };
    onStart();
    let lastMoment: NodeJS.Timeout | undefined;
    const callOff = (): void => void (lastMoment = setTimeout(() => sandbox.kill('abandoned'), MERCY_MS));
    signal.addEventListener('abort', callOff, { once: true });
    this.#begin(sandbox);
    const outcome = await sandbox.run(parts, timeoutMs);
    signal.removeEventListener('abort', callOff);
    clearTimeout(lastMoment);
    this.#end(sandbox, outcome);
    return signal.aborted ? { kind: 'killed', reason: 'abandoned' } : outcome;
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#inspector);
    for (const sandbox of this.#all) sandbox.kill('closing');
    await Promise.all([...this.#all].map((sandbox) => sandbox.ended));
  }

  async #acquire(signal: AbortSignal): Promise<SandboxProcess | undefined> {
    for (let free = this.#idle.pop(); free; free = this.#idle.pop()) if (free.alive) return free;
    return new Promise((resolve) => {
      const give = (sandbox: SandboxProcess): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(sandbox);
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        resolve(undefined);
      };
      if (signal.aborted) return resolve(undefined);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(give);
    });
  }

  #begin(sandbox: SandboxProcess): void {
    this.#busy.add(sandbox);
    this.usage.begin();
    this.#inspector ??= setInterval(() => {
      const now = performance.now();
      for (const busy of this.#busy) busy.inspect(now);
    }, INSPECT_MS);
  }

  #end(sandbox: SandboxProcess, outcome: SandboxOutcome): void {
    this.#busy.delete(sandbox);
    this.usage.end();
    if (this.#busy.size === 0) {
      clearInterval(this.#inspector);
      this.#inspector = undefined;
    }
    // A process whose isolate burst its limits has grown and may be in any state.
    if (outcome.kind === 'memory') sandbox.kill('memory');
    else if (outcome.kind !== 'killed' && outcome.kind !== 'died') this.#release(sandbox);
  }

  #release(sandbox: SandboxProcess): void {
    if (!sandbox.alive) return;
    const next = this.#waiting.shift();
    if (next) next(sandbox);
    else this.#idle.push(sandbox);
  }

  /** Keeps one place filled: starts a sandbox, waits for its end, starts the next. */
  async #keep(): Promise<void> {
    while (!this.#closing) {
      const sandbox = this.#create();
      this.#all.add(sandbox);
      const isReady = await sandbox.ready;
      if (isReady) {
        this.#firstReady.resolve();
        this.#release(sandbox);
      }
      await sandbox.ended;
      this.#forget(sandbox);
      if (isReady || this.#closing) continue;
      this.#log.error('a sandbox ended before it was ready; trying again');
      await delay(RESTART_DELAY_MS);
    }
  }

  #forget(sandbox: SandboxProcess): void {
    this.#all.delete(sandbox);
    const at = this.#idle.indexOf(sandbox);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
