import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { Sample } from './measured-load.ts';
import { summarize, type Summary } from './statistics.ts';
import type { Round, Verdict } from './verdicts.ts';

/** What the table shows of a sample; the JSON file has all of it. */
const COLUMNS: readonly { metric: string; title: string; digits: number }[] = [
  { metric: 'rate', title: '/s', digits: 0 },
  { metric: 'p50', title: 'p50 ms', digits: 2 },
  { metric: 'p90', title: 'p90', digits: 2 },
  { metric: 'p99', title: 'p99', digits: 2 },
  { metric: 'p999', title: 'p99.9', digits: 2 },
  { metric: 'gatewayCpuMs', title: 'gateway CPU ms', digits: 3 },
  { metric: 'runnerCpuMs', title: 'runner CPU ms', digits: 3 },
  { metric: 'sandboxCpuMs', title: 'sandbox CPU ms', digits: 3 },
  { metric: 'redisCpuMs', title: 'Redis CPU ms', digits: 3 },
  { metric: 'redisCommands', title: 'commands', digits: 1 },
  { metric: 'redisBytes', title: 'bytes', digits: 0 },
  { metric: 's3Requests', title: 'S3', digits: 3 },
  { metric: 'residentMb', title: 'MB', digits: 0 },
];

/** All figures over all rounds: measurement → metric → summary. */
export type Figures = Record<string, Record<string, Summary>>;

export function summarizeRounds(rounds: readonly Round[]): Figures {
  const names = new Set(rounds.flatMap((round) => [...round.keys()]));
  return Object.fromEntries([...names].map((name) => [name, summarizeSamples(samplesOf(rounds, name))]));
}

/** A Markdown table; `rate ± half the spread in %`, medians for the rest. */
export function table(figures: Figures): string {
  const head = ['', ...COLUMNS.map(({ title }) => title)];
  const rows = Object.entries(figures).map(([name, metrics]) => [
    name,
    ...COLUMNS.map(({ metric, digits }) => cell(metrics[metric], digits, metric === 'rate')),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function verdictLine({ name, ratio, goal, reached }: Verdict): string {
  const [median, min, max] = [ratio.median, ratio.min, ratio.max].map((value) => value.toFixed(2));
  return `${reached ? 'reached    ' : 'NOT REACHED'}  ${name}: ${median} (${min}–${max}), goal ${goal}`;
}

/** What the figures were measured on. */
export function machine(): Record<string, string> {
  const [first] = cpus();
  return {
    cpu: `${cpus().length} × ${first?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    node: process.version,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  };
}

function samplesOf(rounds: readonly Round[], name: string): Sample[] {
  return rounds.map((round) => round.get(name)).filter((sample) => sample !== undefined);
}

function summarizeSamples(samples: readonly Sample[]): Record<string, Summary> {
  const metrics = Object.keys(samples[0] ?? {});
  return Object.fromEntries(
    metrics.map((metric) => [metric, summarize(samples.map((sample) => sample[metric] ?? NaN))]),
  );
}

function cell(summary: Summary | undefined, digits: number, withSpread: boolean): string {
  if (!summary || Number.isNaN(summary.median)) return '';
  const text = summary.median.toFixed(digits);
  const spread = (50 * (summary.max - summary.min)) / summary.median;
  return withSpread ? `${text} ± ${spread.toFixed(0)} %` : text;
}
