/** How long a failure is taken for what the next read would find, too. */
const RECENT_MS = 1000;
/** Reads at a time while the storage is away: two, so that one object in trouble is not the only witness. */
const MAX_TRIALS = 2;

/**
 * What the latest reads say about the storage as a whole.
 *
 *     here → a try times out, or a read is given up, and nothing was answered since it began → away
 *     away → any answer → here
 *
 * While it is away few reads are tried: requests must not spend their time, and the runner's places for them, on
 * a server that does not answer.
 */
export class StorageHealth {
  readonly #onChange: (isAway: boolean) => void;
  #answeredAt = -Infinity;
  #silentAt = -Infinity;
  #isAway = false;
  #underWay = 0;

  constructor(onChange: (isAway: boolean) => void) {
    this.#onChange = onChange;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** It is away, and that was seen just now. */
  get hasJustFailed(): boolean {
    return this.#isAway && performance.now() - this.#silentAt < RECENT_MS;
  }

  /** Whether one more read may begin. */
  get mayRead(): boolean {
    return !this.#isAway || this.#underWay < MAX_TRIALS;
  }

  /** Whether a read that is under way may be tried again. */
  get mayTryAgain(): boolean {
    return !this.#isAway || this.#underWay <= MAX_TRIALS;
  }

  /** Counts a read, all of its tries included, as long as it is under way. */
  async count<T>(read: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await read();
    } finally {
      this.#underWay--;
    }
  }

  answered(): void {
    this.#answeredAt = performance.now();
    this.#become(false);
  }

  /** @param begun `performance.now()` of the request that was not answered */
  silentSince(begun: number): void {
    this.#silentAt = performance.now();
    if (this.#answeredAt < begun) this.#become(true);
  }

  #become(isAway: boolean): void {
    if (this.#isAway === isAway) return;
    this.#isAway = isAway;
    this.#onChange(isAway);
  }
}
