import type { Sample } from './measured-load.ts';
import { summarize, type Summary } from './statistics.ts';

/** A round's samples by the name of the measurement. */
export type Round = ReadonlyMap<string, Sample>;

interface Goal {
  readonly name: string;
  readonly above: readonly [measurement: string, metric: string];
  readonly below: readonly [measurement: string, metric: string];
  readonly goal: number;
  readonly better: 'higher' | 'lower';
}

export interface Verdict {
  readonly name: string;
  /** Of the rounds' own ratios: both sides of one ratio were measured within seconds of each other. */
  readonly ratio: Summary;
  readonly goal: string;
  readonly reached: boolean;
}

const RATE_16 = ['lc500, 16 connections', 'rate'] as const;
const FRESH = 'workerd, new worker per request';

/** What lc500 has to show. */
const GOALS: readonly Goal[] = [
  {
    name: 'throughput at 16 connections, lc500 / isolate floor',
    above: RATE_16,
    below: ['isolate floor', 'rate'],
    goal: 0.7,
    better: 'higher',
  },
  {
    name: 'throughput at 16 connections, lc500 / workerd with a new dynamic worker per request',
    above: RATE_16,
    below: [`${FRESH}, 16 connections`, 'rate'],
    goal: 5,
    better: 'higher',
  },
  {
    name: 'median with 5 ms pauses, one at a time, lc500 / queue floor',
    above: ['lc500, idle', 'p50'],
    below: ['queue floor, idle', 'p50'],
    goal: 1.4,
    better: 'lower',
  },
  {
    name: 'median at one connection back to back, lc500 / workerd with a new dynamic worker per request',
    above: ['lc500, 1 connection', 'p50'],
    below: [`${FRESH}, 1 connection`, 'p50'],
    goal: 0.25,
    better: 'lower',
  },
  {
    name: 'p99 at 50 % of maximum rate / idle median',
    above: ['lc500, 50 % of its maximum rate', 'p99'],
    below: ['lc500, idle', 'p50'],
    goal: 6,
    better: 'lower',
  },
  {
    name: '1,000 tenants / 1 tenant, throughput',
    above: ['1000 tenants', 'rate'],
    below: ['1 tenant', 'rate'],
    goal: 0.85,
    better: 'higher',
  },
  {
    name: '2 runners / 1 runner with the same total of sandboxes, throughput',
    above: ['2 runners with half the sandboxes each', 'rate'],
    below: ['1 runner with all sandboxes', 'rate'],
    goal: 0.95,
    better: 'higher',
  },
  {
    name: 'resident memory of the runner tree after 100,000 requests / after 1,000',
    above: ['soak', 'residentAfterMb'],
    below: ['soak', 'residentBeforeMb'],
    goal: 1.15,
    better: 'lower',
  },
];

/** The verdict on every ratio whose two sides were measured. */
export function judge(rounds: readonly Round[]): Verdict[] {
  return GOALS.flatMap(({ name, above, below, goal, better }) => {
    const ratios = rounds
      .map((round) => (round.get(above[0])?.[above[1]] ?? NaN) / (round.get(below[0])?.[below[1]] ?? NaN))
      .filter((ratio) => Number.isFinite(ratio));
    if (ratios.length === 0) return [];
    const ratio = summarize(ratios);
    const reached = better === 'higher' ? ratio.median >= goal : ratio.median <= goal;
    return [{ name, ratio, goal: `${better === 'higher' ? '≥' : '≤'} ${goal}`, reached }];
  });
}
