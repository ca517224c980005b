import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { compare, START_DELAYS_MS, type Assumptions } from './comparison.ts';
import { chartOf, table, verdictLines, verdicts } from './report.ts';

/** `npm run autoscale:simulate`: the decision under every trace and start-up delay, beside other rules. */
const program = new Command('autoscale:simulate')
  .description(
    'Simulates the decision on how many runners there should be, and compares it with other rules.',
  )
  .option('--seed <n>', 'seed of all chance', Number, 1)
  .option('--service-ms <n>', "mean of a script's time in a sandbox", Number, 40)
  .option('--spread <n>', 'its coefficient of variation', Number, 0.5)
  .option(
    '--times <file>',
    'times as `npm run autoscale:demo` measured them, scaled to that mean, in place of a log-normal distribution',
  )
  .option('--sandboxes <n>', 'sandboxes of one runner', Number, 2)
  .option('--target-ms <n>', 'target wait', Number, 500)
  .option('--tune', 'look for the best setting of the threshold rule first (minutes)', false)
  .option('--out <folder>', 'where the charts go', '.lc500/autoscale')
  .parse();
const options = program.opts<{
  seed: number;
  serviceMs: number;
  spread: number;
  times?: string;
  sandboxes: number;
  targetMs: number;
  tune: boolean;
  out: string;
}>();

const assumptions: Assumptions = {
  serviceMs: options.serviceMs,
  spread: options.spread,
  sandboxesPerRunner: options.sandboxes,
  targetWaitMs: options.targetMs,
  deadlineMs: 25_000,
  seed: options.seed,
  ...(options.times === undefined ? {} : { measured: await measuredTimes(options.times) }),
};

const comparisons = START_DELAYS_MS.flatMap((startMs) => compare(startMs, assumptions, options.tune));
process.stdout.write(`${table(comparisons)}\n`);
const found = verdicts(comparisons, assumptions);
process.stdout.write(`${verdictLines(found).join('\n')}\n\n`);

await mkdir(options.out, { recursive: true });
for (const comparison of comparisons) {
  const name = `${comparison.trace.name.replaceAll(/\W+/g, '-')}-start-${comparison.startMs / 1000}s.svg`;
  await writeFile(join(options.out, name), chartOf(comparison, assumptions));
}
process.stdout.write(`charts: ${options.out}/*.svg\n`);

async function measuredTimes(file: string): Promise<number[]> {
  const times = JSON.parse(await readFile(file, 'utf8')) as number[];
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  return times.map((ms) => (ms / mean) * options.serviceMs);
}
