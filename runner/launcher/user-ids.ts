/** More than a runner has sandboxes. */
const COUNT = 4096;

/**
 * Every sandbox runs as a user of its own, so that none can look into another. Taken in turn from a random
 * start, so that two runners in one container seldom meet.
 */
export class UserIds {
  readonly #first: number;
  readonly #taken = new Set<number>();
  #next = Math.floor(Math.random() * COUNT);

  constructor(first: number) {
    this.#first = first;
  }

  take(): number {
    while (this.#taken.has(this.#next)) this.#next = (this.#next + 1) % COUNT;
    const offset = this.#next;
    this.#next = (offset + 1) % COUNT;
    this.#taken.add(offset);
    return this.#first + offset;
  }

  giveBack(userId: number): void {
    this.#taken.delete(userId - this.#first);
  }
}
