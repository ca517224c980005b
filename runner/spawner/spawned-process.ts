import { kill } from 'node:process';
import type { Duplex } from 'node:stream';
import type { Ending } from './messages.ts';

/** A process may have left its pipe to another one, which then keeps it open. */
const DRAIN_MS = 100;

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
  #pipe: Duplex | undefined;
  #pid: number | undefined;

  constructor(ask: (type: 'taken' | 'kill') => void) {
    this.#ask = ask;
    this.started = this.#start.promise;
    this.ended = this.#end.promise;
  }

  /** SIGKILL. It is the spawner who sends it, for after its end the process's number may be another's. */
  kill(): void {
    this.#ask('kill');
  }

  /** For the spawner's messages, as the next two. */
  take(pipe: Duplex): void {
    this.#pipe = pipe;
    // That it breaks is followed by the process's end.
    pipe.on('error', () => undefined);
    this.#ask('taken');
  }

  start(pid: number): void {
    this.#pid = pid;
    if (this.#pipe) this.#start.resolve({ pid, pipe: this.#pipe });
  }

  end(ending: Ending): void {
    this.#pid = undefined;
    this.#start.resolve(undefined);
    if (!this.#pipe || this.#pipe.closed) return this.#end.resolve(ending);
    const pipe = this.#pipe;
    const giveUp = setTimeout(() => pipe.destroy(), DRAIN_MS);
    pipe.once('close', () => {
      clearTimeout(giveUp);
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
}
