/** Numbers in [0, 1) that are the same for the same seed: mulberry32, a well-known 32-bit generator. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** From an exponential distribution with this mean: the pauses of a Poisson stream. */
export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** From a normal distribution (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Slow moments of a machine come in a row: so many successive times are taken together. */
const BLOCK = 25;

/**
 * Measured times again, in an order of chance, but block by block: distribution and slow moments stay as they were
 * (the moving block bootstrap).
 *
 * @param measured in the order of measuring
 */
export function resampled(random: () => number, measured: readonly number[]): () => number {
  let next = 0;
  let end = 0;
  return () => {
    if (next >= end) {
      next = Math.floor(random() * Math.max(1, measured.length - BLOCK + 1));
      end = Math.min(measured.length, next + BLOCK);
    }
    return measured[next++] ?? 0;
  };
}

/** A time in a sandbox: log-normal, as run times of programs are; `spread` is its coefficient of variation. */
export function serviceTime(random: () => number, mean: number, spread: number): number {
  const variance = Math.log(1 + spread * spread);
  return mean * Math.exp(Math.sqrt(variance) * normal(random) - variance / 2);
}
