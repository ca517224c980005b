import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { startLab } from './lab.ts';
import { takeBaseline } from './leaks.ts';
import { run, type RunResult } from './run.ts';

/** Runs of one fault that share a lab, one after the other. */
interface Batch {
  readonly fault: Fault;
  readonly seeds: readonly number[];
}

/** A run that gave no result, because something broke that was not meant to. */
export interface FailedRun {
  readonly seed: number;
  readonly error: unknown;
}

export interface Outcome {
  readonly fault: Fault;
  readonly runs: readonly (RunResult | FailedRun)[];
}

/** A lab is used for about this long, seconds, so that no fault takes much longer than the others. */
const BATCH_SECONDS = 240;
const STAGGER_MS = 5000;
/** A lab, unless the fault says otherwise: Redis as it is by default with an append-only file. */
export const DEFAULTS = { persistence: 'everysec', viaProxy: false, deadlineMs: 8000 } as const;

/**
 * Runs every fault at every seed.
 *
 * @param options.parallel labs at a time; half as many long outages, in which little happens, come beside them
 * @param options.onRun called after each run
 */
export async function runAll(options: {
  readonly faults: readonly Fault[];
  readonly seeds: readonly number[];
  readonly parallel: number;
  readonly patience: number;
  readonly s3: Readonly<Record<string, string>>;
  readonly onRun: (fault: Fault, result: RunResult | FailedRun) => void;
}): Promise<Outcome[]> {
  const { faults, seeds, parallel, patience, s3, onRun } = options;
  const results = new Map(faults.map((fault) => [fault, [] as (RunResult | FailedRun)[]]));
  const note = (fault: Fault, result: RunResult | FailedRun): void => {
    results.get(fault)?.push(result);
    onRun(fault, result);
  };
  const work = async ({ fault, seeds: some }: Batch): Promise<void> => {
    const left = [...some];
    while (left.length > 0)
      await runBatch(fault, left, { s3, patience }, (result) => note(fault, result)).catch((error: unknown) =>
        // A system that did not start, or did not end.
        note(fault, { seed: left.shift() ?? 0, error }),
      );
  };
  const isLong = ({ fault }: Batch): boolean => fault.seconds > 30;
  const batches = faults.flatMap((fault) => batchesOf(fault, seeds));
  await Promise.all([
    inParallel(
      batches.filter((batch) => !isLong(batch)),
      parallel,
      work,
    ),
    inParallel(batches.filter(isLong), Math.ceil(parallel / 2), work),
  ]);
  return faults.map((fault) => ({ fault, runs: results.get(fault) ?? [] }));
}

function batchesOf(fault: Fault, seeds: readonly number[]): Batch[] {
  const size = Math.max(1, Math.floor(BATCH_SECONDS / fault.seconds));
  const batches: Batch[] = [];
  for (let i = 0; i < seeds.length; i += size) batches.push({ fault, seeds: seeds.slice(i, i + size) });
  return batches;
}

async function inParallel<T>(
  items: readonly T[],
  parallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (number: number): Promise<void> => {
    // Eight systems that start at the same moment keep each other from it.
    await sleep(number * STAGGER_MS);
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: parallel }, (_, number) => worker(number)));
}

/**
 * A lab that has shown a problem is not used again: the next run shall not suffer from it.
 *
 * @param left seeds; those that were run are taken out
 */
async function runBatch(
  fault: Fault,
  left: number[],
  { s3, patience }: { s3: Readonly<Record<string, string>>; patience: number },
  onRun: (result: RunResult | FailedRun) => void,
): Promise<void> {
  await using lab = await startLab({ ...DEFAULTS, s3, ...fault.lab });
  const baseline = await takeBaseline(lab);
  for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
    const at = seed;
    const result = await run(lab, baseline, fault, at, patience).catch((error: unknown) => ({
      seed: at,
      error,
    }));
    onRun(result);
    if ('error' in result || result.problems.length > 0) return;
  }
}
