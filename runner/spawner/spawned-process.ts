import { kill } from 'node:process';
import type { Duplex } from 'node:stream';
import type { Ending } from './messages.ts';

/**
 * Between the end of a process and that of its pipe, in either order: a process may have left its pipe to another one,
 * which keeps it open, or have closed it, which makes it useless.
 */
const DRAIN_MS = 100;
/** A spawner that has not done what it was asked for when this has passed twice is taken for frozen. */
const STUCK_MS = 5000;

/** A process that has been started, and the other end of its descriptor 3. */
export interface Started {
  readonly pid: number;
  readonly pipe: Duplex;
}

/** A process that a spawner was asked for, as its runner sees it. */
export class SpawnedProcess {
  /** Settles when the process has been started; `undefined` where that was not to be. */
  readonly started: Promise<Started | undefined>;
  /** Settles when it has ended, and what it wrote into its pipe has been read. */
  readonly ended: Promise<Ending>;
  /** Called with the first that it says on standard error. */
  onStderr: ((text: string) => void) | undefined;
  readonly #ask: (type: 'taken' | 'kill') => void;
  readonly #start = Promise.withResolvers<Started | undefined>();
  readonly #end = Promise.withResolvers<Ending>();
  readonly #onStuck: () => void;
  #pipe: Duplex | undefined;
  #pid: number | undefined;
  #isToEnd = false;
  #hasEnded = false;
  #drain: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  /** @param onStuck called when the spawner does not do what it was asked for */
  constructor(ask: (type: 'taken' | 'kill') => void, onStuck: () => void) {
    this.#ask = ask;
    this.#onStuck = onStuck;
    this.#expect();
    this.started = this.#start.promise;
    this.ended = this.#end.promise;
  }

  /** SIGKILL. It is the spawner who sends it, for after its end the process's number may be another's. */
  kill(): void {
    if (this.#hasEnded) return;
    this.#isToEnd = true;
    this.#ask('kill');
    this.#expect();
  }

  /** For the spawner's messages, as the next two. @param pipe not there when the process had ended before it was sent */
  take(pipe: Duplex | undefined): void {
    if (!this.#isToEnd) clearInterval(this.#watchdog);
    if (!pipe) return this.kill();
    this.#pipe = pipe;
    // That it breaks is followed by the process's end.
    pipe.on('error', () => undefined);
    pipe.once('close', () => (this.#drain ??= setTimeout(() => this.kill(), DRAIN_MS)));
    this.#ask('taken');
  }

  start(pid: number): void {
    this.#pid = pid;
    if (this.#pipe) this.#start.resolve({ pid, pipe: this.#pipe });
  }

  end(ending: Ending): void {
    this.#pid = undefined;
    this.#hasEnded = true;
    clearInterval(this.#watchdog);
    clearTimeout(this.#drain);
    this.#start.resolve(undefined);
    if (!this.#pipe || this.#pipe.closed) return this.#end.resolve(ending);
    const pipe = this.#pipe;
    this.#drain = setTimeout(() => pipe.destroy(), DRAIN_MS);
    pipe.once('close', () => {
      clearTimeout(this.#drain);
      this.#end.resolve(ending);
    });
  }

  /** The spawner has gone. Where there is `setpriv` the process has gone with it. */
  killOrphan(): void {
    if (this.#pid === undefined) return;
    try {
      kill(this.#pid, 'SIGKILL');
    } catch {
      // So it has.
    }
  }

  /** After this process was itself held up the answer may be there to be read: timers come before pipes. */
  #expect(): void {
    let isOverdue = false;
    clearInterval(this.#watchdog);
    this.#watchdog = setInterval(() => {
      if (isOverdue) this.#onStuck();
      isOverdue = true;
    }, STUCK_MS);
  }
}
