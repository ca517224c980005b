/** Numbers that a seed decides: the same seed, the same run. */
export interface Random {
  /** From 0 to 1, 1 excluded. */
  next(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(choice: readonly T[]): T;
  /** True so many times in a hundred. */
  percent(chance: number): boolean;
}

/** Mulberry32 (Tommy Ettinger, public domain): small, and good enough to choose moments with. */
export function createRandom(seed: number): Random {
  let state = (seed * 0x9e3779b1) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    pick: (choice) => choice[between(0, choice.length - 1)] as (typeof choice)[number],
    percent: (chance) => next() * 100 < chance,
  };
}
