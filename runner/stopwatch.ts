import type { RunTimings } from '../shared/reply.ts';

/** What one invocation's time in a runner was spent on, milliseconds. */
export class Stopwatch {
  readonly #started = performance.now();
  #handedOver: number | undefined;
  #isolate = 0;
  #script = 0;
  #staleScript: number | undefined;

  /** @param ageMs of a script that the storage could not confirm */
  servedStale(ageMs: number): void {
    this.#staleScript = ageMs;
  }

  /** A sandbox takes the job. */
  handOver(): void {
    this.#handedOver = performance.now();
  }

  /** The sandbox is done with it. @param scriptMs what the sandbox says that the script took */
  handBack(scriptMs: number): void {
    const inSandbox = performance.now() - (this.#handedOver ?? this.#started);
    this.#script = Math.min(scriptMs, inSandbox);
    this.#isolate = inSandbox - this.#script;
  }

  read(): RunTimings {
    const total = performance.now() - this.#started;
    const prepare = (this.#handedOver ?? performance.now()) - this.#started;
    const timings = { prepare, isolate: this.#isolate, script: this.#script, total };
    return this.#staleScript === undefined ? timings : { ...timings, staleScript: this.#staleScript };
  }
}
