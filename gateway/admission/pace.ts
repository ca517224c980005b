/** Half of what was measured is forgotten in this time. */
const HALF_LIFE_MS = 3000;
/** Fewer runs than this (older ones count less) tell nothing: long ones end in lumps, and a stall is not a pace. */
const FEWEST_RUNS = 5;
/** However slow it was, this part of the sandboxes is counted on. */
const LEAST_PART = 0.2;

/**
 * How much sandbox time this gateway's requests get in a time, milliseconds per millisecond, of late. Measured only
 * while there is more work than sandboxes; what else would be measured is how much was asked for. It falls short of
 * the number of sandboxes where other gateways use them, or queue and processors cannot keep them busy.
 */
export class Pace {
  #workedMs = 0;
  #elapsedMs = 0;
  #runs = 0;
  #done = { ms: 0, runs: 0 };
  #wasSaturated = false;

  /** A request was answered. @param ms its time in a sandbox */
  done(ms: number): void {
    this.#done.ms += ms;
    this.#done.runs++;
  }

  /** @param sinceMs since the last call @param isSaturated whether more requests are under way than sandboxes */
  tick(sinceMs: number, isSaturated: boolean): void {
    const kept = 0.5 ** (sinceMs / HALF_LIFE_MS);
    const counts = isSaturated && this.#wasSaturated;
    this.#workedMs = this.#workedMs * kept + (counts ? this.#done.ms : 0);
    this.#elapsedMs = this.#elapsedMs * kept + (counts ? sinceMs : 0);
    this.#runs = this.#runs * kept + (counts ? this.#done.runs : 0);
    this.#done = { ms: 0, runs: 0 };
    this.#wasSaturated = isSaturated;
  }

  /** @param sandboxes that this gateway may count on: the answer while nothing was measured */
  read(sandboxes: number): number {
    if (this.#runs < FEWEST_RUNS) return sandboxes;
    return Math.max(LEAST_PART * sandboxes, Math.min(sandboxes, this.#workedMs / this.#elapsedMs));
  }
}
