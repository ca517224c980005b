import { hostname } from 'node:os';
import type { RunnerState } from '../shared/runner-state.ts';
import type { Sandboxes } from './sandboxes.ts';

/** Half of what was measured is forgotten in this time. */
const HALF_LIFE_MS = 10_000;

/**
 * How much sandboxes are used of late: runs that ended, and the time that sandboxes were busy with runs. Left out of
 * both are asynchronous requests: what they take says nothing of how long the others have to wait.
 */
export class Usage {
  #busy = 0;
  #leftOut = 0;
  #runs = 0;
  #busyMs = 0;
  #countedAt = performance.now();

  /** A sandbox takes a job. */
  begin(): void {
    this.#count();
    this.#busy++;
  }

  /** A sandbox is done with a job. */
  end(): void {
    this.#count();
    this.#busy--;
    this.#runs++;
  }

  /** The run that has just begun is not counted. @returns to be called just before it ends */
  leaveOut(): () => void {
    this.#count();
    this.#leftOut++;
    return () => {
      this.#count();
      this.#leftOut--;
      this.#runs--;
    };
  }

  read(): { busy: number; runs: number; busyMs: number } {
    this.#count();
    return { busy: this.#busy, runs: this.#runs, busyMs: this.#busyMs };
  }

  #count(): void {
    const now = performance.now();
    const elapsed = now - this.#countedAt;
    this.#countedAt = now;
    const kept = 0.5 ** (elapsed / HALF_LIFE_MS);
    this.#runs *= kept;
    this.#busyMs = this.#busyMs * kept + (this.#busy - this.#leftOut) * elapsed;
  }
}

/** What this runner tells of itself. */
export function runnerState(sandboxes: Sandboxes, level: RunnerState['level'], jobs: number): RunnerState {
  const { busy, runs, busyMs } = sandboxes.usage.read();
  return {
    host: hostname(),
    pid: process.pid,
    level,
    sandboxes: sandboxes.size,
    // A spare one is none that there should be more of.
    busy: Math.min(busy, sandboxes.size),
    waiting: sandboxes.waiting,
    jobs,
    tenants: sandboxes.tenants,
    runs,
    busyMs,
  };
}
