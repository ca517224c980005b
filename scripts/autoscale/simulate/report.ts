import { drawChart } from '../chart.ts';
import { formatTable } from '../../cli/table.ts';
import { reactionMs, resultOf, type Assumptions, type Comparison } from './comparison.ts';

const COLOURS = { lc500: '#06c', threshold: '#c60', KEDA: '#393', clairvoyant: '#999' } as const;

/** Every trace, delay and rule: what it cost and how long requests waited. */
export function table(comparisons: readonly Comparison[]): string {
  const rows = comparisons.flatMap(({ trace, startMs, least, results }) =>
    results.map(({ rule, result }) => [
      trace.name,
      `${startMs / 1000} s`,
      rule,
      result.runnerHours.toFixed(2),
      (result.runnerHours / least).toFixed(2),
      `${Math.round(result.p99Settled)} ms`,
      `${Math.round(result.p99)} ms`,
      ((100 * result.dropped) / result.requests).toFixed(2),
      `${result.reversals}/${trace.changes.length}`,
    ]),
  );
  const head = [
    'trace',
    'start',
    'rule',
    'runner-h',
    '× least',
    'p99 settled',
    'p99 all',
    '% expired',
    'turns',
  ];
  return formatTable([head, ...rows]);
}

interface Verdict {
  readonly goal: string;
  readonly misses: readonly string[];
}

/** The goals, and where each of them is missed and by how much. */
export function verdicts(comparisons: readonly Comparison[], { targetWaitMs }: Assumptions): Verdict[] {
  const misses = (miss: (comparison: Comparison) => string | false): string[] =>
    comparisons.flatMap((comparison) => {
      const found = miss(comparison);
      return found === false
        ? []
        : [`${comparison.trace.name}, start ${comparison.startMs / 1000} s: ${found}`];
    });
  return [
    {
      goal: `p99 wait within ${targetWaitMs} ms after the reaction time (10 s + two starts)`,
      misses: misses((of) => {
        const { p99Settled } = resultOf(of, 'lc500');
        return p99Settled > targetWaitMs && `${Math.round(p99Settled)} ms`;
      }),
    },
    {
      goal: 'runner-hours at most 1.25 × the least',
      misses: misses((of) => ratio(of, 'lc500') > 1.25 && `${ratio(of, 'lc500').toFixed(2)} ×`),
    },
    { goal: 'at least 25 % fewer runner-hours than the threshold rule', misses: misses(savings) },
    {
      goal: 'at most one change of direction for each change of load',
      misses: misses((of) => {
        const { reversals } = resultOf(of, 'lc500');
        return reversals > of.trace.changes.length && `${reversals} for ${of.trace.changes.length}`;
      }),
    },
  ];
}

function ratio(comparison: Comparison, rule: string): number {
  return resultOf(comparison, rule).runnerHours / comparison.least;
}

function savings(comparison: Comparison): string | false {
  const [own, theirs] = [ratio(comparison, 'lc500'), ratio(comparison, 'threshold')];
  const saved = 1 - own / theirs;
  if (saved >= 0.25) return false;
  const most = `the least of all would save ${Math.round(100 * (1 - 1 / theirs))} %`;
  return `${Math.round(100 * saved)} % fewer (${most})`;
}

/** The verdicts as lines: what is kept, and what is missed where. */
export function verdictLines(found: readonly Verdict[]): string[] {
  return found.flatMap(({ goal, misses }) =>
    misses.length === 0
      ? [`kept    ${goal}`]
      : [`missed  ${goal}`, ...misses.map((miss) => `          ${miss}`)],
  );
}

/** Arrival rate, runners and p99 wait over time, for the rules that change the number. */
export function chartOf(comparison: Comparison, { targetWaitMs }: Assumptions): string {
  const { trace, startMs, results } = comparison;
  const shown = results.flatMap(({ rule, result }) =>
    rule in COLOURS ? [{ label: rule, colour: COLOURS[rule as keyof typeof COLOURS], ...result }] : [],
  );
  const arrivals = shown[0]?.timeline.map(({ at, rate }) => [at, rate] as const) ?? [];
  const title = `${trace.name}, a start takes ${startMs / 1000} s (reaction time ${reactionMs(startMs) / 1000} s)`;
  // A rule that lets requests wait until they expire would press all else to the floor.
  const cap = 4 * targetWaitMs;
  return drawChart(title, trace.seconds, [
    { title: 'requests/s', curves: [{ label: 'arrivals', colour: '#555', points: arrivals }] },
    {
      title: 'runners',
      curves: shown.map(({ label, colour, timeline }) => ({
        label,
        colour,
        steps: true,
        points: timeline.map(({ at, runners }) => [at, runners] as const),
      })),
    },
    {
      title: `p99 wait, ms (cut off at ${cap}; red: the target)`,
      level: targetWaitMs,
      curves: shown.map(({ label, colour, timeline }) => ({
        label,
        colour,
        points: timeline.map(({ at, p99 }) => [at, Math.min(cap, p99)] as const),
      })),
    },
  ]);
}
