import type { Duplex } from 'node:stream';
import type { Logger } from '../shared/log.ts';
import { encodeFrame, FrameReader } from './sandbox/frame.ts';
import { decodeResult, type SandboxResult } from './sandbox/protocol.ts';
import { Leftovers } from './leftovers.ts';
import type { Launch, Launcher } from './launcher/launcher.ts';
import type { GiveWay } from './launcher/niceness.ts';
import { preferWhenMemoryIsOut } from './launcher/oom-score.ts';
import { endingSignal, sandboxLine } from './launcher/spawn.ts';
import { memoryOf } from './process-memory.ts';
import { RunPriority } from './run-priority.ts';
import type { SpawnedProcess, Started } from './spawner/spawned-process.ts';
import { StartPriority } from './start-priority.ts';

/** Why a runner killed its sandbox. */
export type KillReason = 'clock' | 'memory' | 'abandoned' | 'protocol' | 'closing';

/** What became of a job in a sandbox: its result, or the sandbox's end. */
export type SandboxOutcome =
  | SandboxResult
  | { readonly kind: 'killed'; readonly reason: KillReason }
  | { readonly kind: 'died' };

/** How long a sandbox may be silent after its script's time before it is taken for stuck. */
const CLOCK_SLACK_MS = 60;
const MEBIBYTE = 1_048_576;
/** Address space that a script may reserve, bytes: resizable buffers reserve without using, and V8 counts neither. */
const RESERVED_LIMIT = 4 * 1024 ** 3;

export interface SandboxLimits {
  readonly scriptMemoryMb: number;
  /** Resident bytes of the process. */
  readonly residentLimit: number;
  /** Bytes of one message from the sandbox. */
  readonly frameLimit: number;
  /** Makes a process give way to others; without it none does. */
  readonly niceness?: ((pid: number) => GiveWay) | undefined;
}

interface RunningJob {
  readonly settle: (outcome: SandboxOutcome) => void;
  readonly started: number;
  readonly timeoutMs: number;
  /** When it was looked at last it should have ended. */
  isOverdue: boolean;
}

/**
 * One sandbox as its runner sees it:
 *
 *     starting → idle ⇄ busy
 *         └────────┴──────┴──→ ended (exited, crashed, or killed by `kill`)
 *
 * A busy sandbox that ends settles its job; the first recorded reason decides the outcome.
 */
export class SandboxProcess {
  /** Settles when the first isolate is ready: true, or false when the process ended before. */
  readonly ready: Promise<boolean>;
  /** Settles when the process has ended. */
  readonly ended: Promise<void>;
  readonly #launch: Launch;
  readonly #spawned: SpawnedProcess;
  readonly #limits: SandboxLimits;
  #log: Logger;
  #pipe: Duplex | undefined;
  #job: RunningJob | undefined;
  #killReason: KillReason | undefined;
  #startPriority: StartPriority | undefined;
  #priority: RunPriority | undefined;
  #virtualAtStart = 0;
  #leftovers: Leftovers | undefined;
  /** Of the sandbox itself, which its launcher may have put behind itself. */
  #pid: number | undefined;
  #onReady: ((isReady: boolean) => void) | undefined;
  #hasEnded = false;

  /** @throws Error as `Launcher.start` does; all else is logged, and it has ended before it was ready */
  constructor(launcher: Launcher, limits: SandboxLimits, log: Logger, task: 'run' | 'compile' = 'run') {
    this.#limits = limits;
    this.#log = log;
    this.#launch = launcher.sandbox(limits.scriptMemoryMb, task);
    this.#spawned = launcher.start(this.#launch);
    this.ready = new Promise((resolve) => (this.#onReady = resolve));
    this.ended = this.#watch();
    // V8's last words, when it gives up.
    this.#spawned.onStderr = (stderr) => this.#log.debug({ stderr }, 'sandbox');
    void this.#spawned.started.then((started) => started && this.#begin(started, launcher.greeting));
  }

  /** Not when it was killed, either: it may have answered at that very moment, and is then not yet seen to have ended. */
  get alive(): boolean {
    // Its pipe may tell that it has gone before its spawner does.
    return !this.#killReason && !this.#hasEnded && this.#pipe?.destroyed === false;
  }

  /** Whether another tenant's script has room in it, beside what runs have left behind. */
  hasRoom(): boolean {
    return this.#leftovers?.leaveRoom() ?? true;
  }

  /** Whether there is room when it has given back what it can, for which it needs the processor. */
  async givesBack(): Promise<boolean> {
    this.#priority?.end();
    const givesBack = (await this.#leftovers?.leaveRoomSoon()) ?? true;
    if (!givesBack) this.#log.info('the sandbox keeps too much memory');
    return givesBack;
  }

  /**
   * Gives the sandbox its job. One at a time: the pool sees to that.
   *
   * @param givesWay to everything else, from its beginning
   */
  run(parts: readonly Buffer[], timeoutMs: number, givesWay = false): Promise<SandboxOutcome> {
    this.#priority?.begin(givesWay);
    return new Promise((settle) => {
      this.#job = { settle, started: performance.now(), timeoutMs, isOverdue: false };
      this.#pipe?.write(encodeFrame(parts));
    });
  }

  /** SIGKILL: nothing milder ends an isolate that does not want to end. The first reason stays. */
  kill(reason: KillReason): void {
    this.#killReason ??= reason;
    if (this.#onReady && !this.#hasEnded) this.#startPriority?.end();
    this.#priority?.end();
    this.#spawned.kill();
  }

  /** Looks at clock and memory; called regularly while the sandbox is busy. */
  inspect(now: number): void {
    if (!this.#job || this.#killReason) return;
    const elapsed = now - this.#job.started;
    const { resident, virtual } = memoryOf(this.#pid);
    const reserved = virtual - this.#virtualAtStart;
    this.#priority?.look(now, elapsed, this.#job.timeoutMs);
    if (resident > this.#limits.residentLimit || reserved > RESERVED_LIMIT) this.kill('memory');
    // After this process was held up the answer may be there to be read: timers come before pipes.
    else if (this.#job.isOverdue) this.kill('clock');
    this.#job.isOverdue = elapsed > this.#job.timeoutMs + CLOCK_SLACK_MS;
  }

  #begin({ pid, pipe }: Started, greeting: Buffer): void {
    this.#log = this.#log.child({ sandbox: pid });
    this.#pipe = pipe;
    this.#startPriority = new StartPriority(() => sandboxLine(pid, this.#launch), this.#limits.niceness);
    const frames = new FrameReader(this.#limits.frameLimit);
    pipe.on('data', (chunk: Buffer) => {
      try {
        for (const frame of frames.push(chunk)) this.#receive(frame, pid);
      } catch (error) {
        // Only a sandbox in a stranger's hands sends what cannot be read.
        this.#log.error({ err: error }, 'the sandbox sent what is not a message');
        this.kill('protocol');
      }
    });
    pipe.write(greeting);
  }

  #receive(frame: Buffer[], started: number): void {
    if (this.#onReady) {
      this.#startPriority?.end();
      this.#pid = sandboxLine(started, this.#launch).at(-1);
      preferWhenMemoryIsOut(this.#pid);
      this.#priority = this.#prioritize();
      this.#virtualAtStart = memoryOf(this.#pid).virtual;
      this.#leftovers = this.#lookForLeftovers();
      this.#onReady(true);
      this.#onReady = undefined;
      return;
    }
    const job = this.#job;
    // It would be taken for the answer to the next job, which is somebody else's.
    if (!job) throw new Error('a result that nobody waits for');
    const result = decodeResult(frame);
    this.#job = undefined;
    this.#leftovers?.ran(performance.now() - job.started);
    job.settle(result);
  }

  #prioritize(): RunPriority | undefined {
    const giveWay = this.#pid === undefined ? undefined : this.#limits.niceness?.(this.#pid);
    return this.#pid !== undefined && giveWay ? new RunPriority(this.#pid, giveWay) : undefined;
  }

  #lookForLeftovers(): Leftovers {
    const { residentLimit: resident, scriptMemoryMb } = this.#limits;
    const limits = { resident, heap: scriptMemoryMb * MEBIBYTE };
    return new Leftovers(() => memoryOf(this.#pid).resident, limits);
  }

  async #watch(): Promise<void> {
    const { code, signal, error } = await this.#spawned.ended;
    if (error) this.#log.error({ err: error }, 'a sandbox could not be started, or not be kept');
    this.#hasEnded = true;
    this.#startPriority?.forget();
    this.#onReady?.(false);
    this.#job?.settle(this.#end(endingSignal(code, signal, this.#launch)));
    this.#job = undefined;
  }

  #end(signal: NodeJS.Signals | null): SandboxOutcome {
    if (this.#killReason) return { kind: 'killed', reason: this.#killReason };
    // V8 aborts the process when it runs out of memory at a place where it cannot say so.
    if (signal === 'SIGABRT') return { kind: 'killed', reason: 'memory' };
    return { kind: 'died' };
  }
}
