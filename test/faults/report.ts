import { summarize } from '../../scripts/bench/statistics.ts';
import type { FailedRun, Outcome } from './schedule.ts';
import type { RunResult } from './run.ts';
import type { Fault } from './fault.ts';

/** One line a run, as it ends. */
export function lineOf({ name }: Fault, result: RunResult | FailedRun): string {
  if ('error' in result) return `✗ ${name} seed ${result.seed}: ${String(result.error)}`;
  const { seed, requests, codes, recoveryMs, problems } = result;
  const counts = Object.entries(codes)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ');
  const head = `${problems.length === 0 ? '✓' : '✗'} ${name} seed ${seed}: ${requests} requests (${counts}), again after ${Math.round(recoveryMs)} ms`;
  return [head, ...problems.slice(0, 12).map((problem) => `    ${problem}`)].join('\n');
}

const HEADER = [
  '| fault | what is done | clients see beside answers | runs | requests | lost | accepted with 202 | lost of these | twice | crossed | hung | other | serves again after |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];

/** The README's table. `other`: runs with a wrong code, a leak, counts that disagree, or that broke off. */
export function tableOf(outcomes: readonly Outcome[]): string {
  return [...HEADER, ...outcomes.map(rowOf)].join('\n');
}

function rowOf({ fault, runs }: Outcome): string {
  const done = runs.filter((run): run is RunResult => !('error' in run));
  const sum = (figure: (run: RunResult) => number): number =>
    done.reduce((total, run) => total + figure(run), 0);
  const again = done.length === 0 ? '–' : recovered(done.map(({ recoveryMs }) => recoveryMs));
  const faulty = done.filter(
    ({ problems, lost, twice, crossed, hung, later }) =>
      problems.length > lost + twice + crossed + hung + later.lost,
  );
  const cells = [
    `\`${fault.name}\``,
    fault.what,
    seen(done),
    runs.length,
    sum(({ requests }) => requests),
    sum(({ lost }) => lost),
    sum(({ later }) => later.accepted),
    sum(({ later }) => later.lost),
    sum(({ twice }) => twice),
    sum(({ crossed }) => crossed),
    sum(({ hung }) => hung),
    faulty.length + runs.length - done.length,
    again,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Median and most. */
function recovered(ms: readonly number[]): string {
  const { median, max } = summarize(ms);
  return `${Math.round(median)}, at most ${Math.round(max)} ms`;
}

/** Codes with their share of all requests. */
function seen(runs: readonly RunResult[]): string {
  const counts = new Map<string, number>();
  for (const { codes } of runs)
    for (const [code, count] of Object.entries(codes))
      if (code !== 'ok') counts.set(code, (counts.get(code) ?? 0) + count);
  const names: Record<string, string> = { broken: 'connection broken', refused: 'connection refused' };
  const texts = [...counts].map(([code, count]) => `${names[code] ?? `\`${code}\``} ${count}`);
  return texts.length === 0 ? '–' : texts.join(', ');
}

/** The last line. */
export function summaryOf(outcomes: readonly Outcome[], seconds: number): string {
  const runs = outcomes.flatMap((outcome) => outcome.runs);
  const bad = runs.filter((run) => 'error' in run || run.problems.length > 0);
  const refusedAndRun = runs.reduce((total, run) => total + ('error' in run ? 0 : run.refusedAndRun), 0);
  return (
    `${outcomes.length} faults, ${runs.length} runs in ${Math.round(seconds)} s: ` +
    `${bad.length === 0 ? 'all as it should be' : `${bad.length} with problems`}. ` +
    `${refusedAndRun} requests were refused with queue_unavailable and run all the same.`
  );
}
