const STEPS_PER_DECADE = 50;
const SMALLEST_MS = 0.1;
const BINS = 6 * STEPS_PER_DECADE;

/** Quantiles of waiting times to 5 %, in fixed memory: bins whose width grows with the value. */
export class Quantiles {
  readonly #bins = new Uint32Array(BINS + 1);
  count = 0;

  add(ms: number): void {
    const step = ms <= SMALLEST_MS ? 0 : Math.ceil(Math.log10(ms / SMALLEST_MS) * STEPS_PER_DECADE);
    const bin = Math.min(BINS, step);
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.count++;
  }

  /** Milliseconds; 0 when there is none. */
  at(share: number): number {
    let left = share * this.count;
    for (let bin = 0; bin <= BINS; bin++) {
      left -= this.#bins[bin] ?? 0;
      if (left <= 0) return bin === 0 ? 0 : SMALLEST_MS * 10 ** (bin / STEPS_PER_DECADE);
    }
    return 0;
  }
}
