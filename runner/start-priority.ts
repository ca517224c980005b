import type { GiveWay } from './launcher/niceness.ts';

/** A start is longer than this only on a machine that is busy, where it goes on as everything else does. */
const GIVES_WAY_MS = 200;

/**
 * A sandbox that starts gives way to everything else, for it takes 90 ms of a core; but not for long, since somebody
 * may wait for it.
 */
export class StartPriority {
  readonly #processes: () => readonly number[];
  readonly #niceness: ((pid: number) => GiveWay) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param processes that there are by now; those that they start give way as they do */
  constructor(processes: () => readonly number[], niceness: ((pid: number) => GiveWay) | undefined) {
    this.#processes = processes;
    this.#niceness = niceness;
    if (!niceness) return;
    this.#set(true);
    this.#timer = setTimeout(() => this.end(), GIVES_WAY_MS);
  }

  /** It is ready, or to be killed, for which it needs the processor. */
  end(): void {
    this.forget();
    this.#set(false);
  }

  /** It has ended, and its number may be another's. */
  forget(): void {
    clearTimeout(this.#timer);
  }

  #set(gives: boolean): void {
    if (!this.#niceness) return;
    for (const pid of this.#processes()) this.#niceness(pid)(gives);
  }
}
