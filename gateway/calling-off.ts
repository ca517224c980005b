import { setTimeout as sleep } from 'node:timers/promises';
import type { Abandoned } from './abandon.ts';

/** A runner lets what was called off go on for 25 ms (runner/sandboxes.ts), and has to hear of it first. */
const CALLED_OFF_MS = 50;

/**
 * When a job is over that nobody waits for any more, as far as can be known here. Until then it is its tenant's, or
 * clients that ask and leave would have any number of them.
 */
export class CallingOff {
  readonly #abandon: (why: string) => Promise<Abandoned>;
  readonly #leftMs: number;
  readonly #replied = Promise.withResolvers<void>();
  #over: Promise<void> | undefined;

  /** @param leftMs until the invocation's deadline */
  constructor(abandon: (why: string) => Promise<Abandoned>, leftMs: number) {
    this.#abandon = abandon;
    this.#leftMs = leftMs;
  }

  /** @param enqueued settles when the job is there to be found; `undefined`: there is none */
  callOff(enqueued: Promise<void> | undefined, why: string): void {
    this.#over = enqueued
      ?.then(() => this.#abandon(why))
      .then((abandoned) => this.#endOf(abandoned))
      .catch(() => undefined);
  }

  /** The job's reply is here. */
  replied(): void {
    this.#replied.resolve();
  }

  /** @param end called at once where the job was not called off */
  whenOver(end: () => void): void {
    if (this.#over) void this.#over.then(end);
    else end();
  }

  async #endOf(abandoned: Abandoned): Promise<void> {
    if (abandoned === 'called off') await sleep(CALLED_OFF_MS);
    if (abandoned === 'goes on')
      await Promise.race([this.#replied.promise, sleep(this.#leftMs, undefined, { ref: false })]);
  }
}
