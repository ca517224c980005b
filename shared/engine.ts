/**
 * What V8 offers that leads past an isolate's walls, and that scripts have only where a deployment grants it:
 * memory shared between threads, code and memory that the isolate's limit does not count, and a clock that
 * counts nanoseconds.
 */
export const GRANTABLE = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Temporal'] as const;
export type Grant = (typeof GRANTABLE)[number];

/**
 * V8's options that only take away: compilers, tiers of them, threads. `--jitless` is not among them, because it
 * takes WebAssembly from Node too, which needs it to read TypeScript. The first, the last compiler's and the
 * regular expressions' together come to the same: no machine code is made of a script.
 */
export const V8_FLAGS = [
  '--disable-optimizing-compilers',
  '--no-sparkplug',
  '--regexp-interpret-all',
  '--no-turbofan',
  '--no-maglev',
  '--single-threaded',
] as const;
export type V8Flag = (typeof V8_FLAGS)[number];

/** How the engine of a sandbox is set up. */
export interface Engine {
  readonly v8Flags: readonly V8Flag[];
  readonly grants: readonly Grant[];
  /** Steps of the clock that scripts read, milliseconds; 0: it stands still. */
  readonly clockMs: number;
}

export const DEFAULT_ENGINE: Engine = { v8Flags: [], grants: [], clockMs: 1 };
