import { exponential, resampled, seededRandom, serviceTime } from '../simulate/random.ts';
import type { Outcome } from './load.ts';

/** The model's runs are as long as what was measured, so that chance plays in both alike. */
const RUNS = 100;

/** What the queue before a sandbox is given. Milliseconds. */
type Job = Pick<Outcome, 'at' | 'sandboxMs'>;

/**
 * Whether the simulation's model of a queue holds, with the requests that one runner with one sandbox served. Three
 * models, each with one assumption more, beside the waits that were measured:
 *
 * 1. the queue alone: the measured arrivals and times in the sandbox, in their order;
 * 2. arrivals at the measured rate as a Poisson stream, and the measured times resampled in blocks;
 * 3. the same, and times that are independent of each other: log-normal, with the measured mean and spread.
 *
 * A measured wait holds the way through gateway, Redis and runner, too. How long that is, is seen from the requests
 * that found the sandbox free; it is added to the models' waits, resampled in blocks.
 *
 * @param outcomes in the order of sending
 */
export function checkModel(outcomes: readonly Outcome[]): string {
  const times = outcomes.map(({ sandboxMs }) => sandboxMs);
  const waits = outcomes.map(({ queueMs, prepareMs }) => queueMs + prepareMs);
  const queued = waitsInQueue(outcomes);
  const ways = waits.filter((_, i) => queued[i] === 0);
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const spread = Math.sqrt(times.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / times.length) / mean;
  const pauseMs = ((outcomes.at(-1)?.at ?? 0) - (outcomes[0]?.at ?? 0)) / outcomes.length;
  const p99s = (jobs: (random: () => number) => readonly Job[]): number[] =>
    Array.from({ length: RUNS }, (_, seed) => {
      const random = seededRandom(seed);
      const way = resampled(random, ways);
      return quantile(
        waitsInQueue(jobs(random)).map((wait) => wait + way()),
        0.99,
      );
    });
  const poisson = (random: () => number, next: () => number): Job[] => {
    let at = 0;
    return times.map(() => ({ at: (at += exponential(random, pauseMs)), sandboxMs: next() }));
  };
  const inOrder = p99s(() => outcomes);
  const inBlocks = p99s((random) => poisson(random, resampled(random, times)));
  const independent = p99s((random) => poisson(random, () => serviceTime(random, mean, spread)));
  return [
    '',
    `${times.length} requests, ${(1000 / pauseMs).toFixed(1)}/s; in the sandbox ${mean.toFixed(1)} ms (p99 ${quantile(times, 0.99).toFixed(0)} ms, spread ${spread.toFixed(2)}); the way there p50 ${quantile(ways, 0.5).toFixed(0)} p99 ${quantile(ways, 0.99).toFixed(0)} ms`,
    `p99 wait measured: ${quantile(waits, 0.99).toFixed(0)} ms; in the model (nine of ten runs):`,
    `  arrivals and times as measured:  ${range(inOrder)}`,
    `  times resampled in blocks:       ${range(inBlocks)}`,
    `  independent log-normal times:    ${range(independent)}`,
    '',
  ].join('\n');
}

/** First come, first served, by one sandbox (Lindley's recursion). */
function waitsInQueue(jobs: readonly Job[]): number[] {
  let free = -Infinity;
  return jobs.map(({ at, sandboxMs }) => {
    const begins = Math.max(at, free);
    free = begins + sandboxMs;
    return begins - at;
  });
}

function range(found: readonly number[]): string {
  const [low, middle, high] = [0.05, 0.5, 0.95].map((share) => quantile(found, share).toFixed(0));
  return `${middle} ms (${low} to ${high})`;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}
