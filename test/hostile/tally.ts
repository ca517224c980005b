import { latencyOf } from '../../scripts/bench/statistics.ts';
import type { HostileCase } from './hostile-case.ts';
import type { Verdict } from './perform.ts';

/** What came of many attacks. */
export class Tally {
  runs = 0;
  passed = 0;
  /** Not admitted, and tried again later. */
  refused = 0;
  /** The latest that a script was ended after its time, milliseconds. */
  lateMs = 0;
  /** Of the victim meanwhile, milliseconds. */
  readonly latencies: number[] = [];
  readonly problems: string[] = [];

  add({ name }: HostileCase, { problem, isRefused, lateMs = 0 }: Verdict): void {
    if (isRefused) {
      this.refused++;
      return;
    }
    this.runs++;
    this.lateMs = Math.max(this.lateMs, lateMs);
    if (problem === undefined) this.passed++;
    else this.problems.push(`${name}: ${problem}`);
  }

  /** `p50 / p99` of the victim's requests. */
  get victim(): string {
    return percentiles(this.latencies);
  }
}

export function percentiles(latencies: readonly number[]): string {
  if (latencies.length === 0) return '–';
  const { p50, p99 } = latencyOf(latencies);
  return `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`;
}
