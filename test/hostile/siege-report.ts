import { summarize } from '../../scripts/bench/statistics.ts';
import type { Arena } from './arena.ts';
import { ORDINARY } from './families.ts';
import type { Family } from './hostile-case.ts';
import type { FamilyTally, Siege } from './siege.ts';
import { percentiles } from './tally.ts';

const MEBIBYTE = 1_048_576;

const HEAD = ['family', 'cases', 'runs', 'passed', 'victim p50 / p99 beside one attacker', 'beside all'];

/** A siege as Markdown. @param capMb what a sandbox's process may hold, MiB */
export function siegeReport(siege: Siege, arena: Arena, capMb: number, minutes: number): string {
  const { ordinary, families, mixed, calm, sandboxes, replacedMs, before, during, after } = siege;
  const rows = [row(ORDINARY, ordinary), ...[...families].map(([family, tally]) => row(family, tally))];
  const all = [...families.values()].flatMap(({ byOne, byAll }) => [byOne, byAll]);
  const sum = (pick: (tally: (typeof all)[number]) => number): number =>
    all.reduce((total, tally) => total + pick(tally), 0);
  const cases = [...families.keys()].reduce((total, family) => total + family.cases.length, 0);
  rows.push([`all in random order, ${minutes} min`, cases, mixed.runs, mixed.passed, '', mixed.victim]);
  const { gateway, runners } = arena.system;
  const facts = [
    ['victim without attack, before and after', `${percentiles(calm.before)}; ${percentiles(calm.after)}`],
    ['victim’s requests, failures', `${arena.victim.sent}, ${arena.victim.failures.length}`],
    ['attacks not admitted (429, 503)', sum(({ refused }) => refused) + mixed.refused],
    [
      'latest end of a script after its time',
      `${Math.max(mixed.lateMs, ...all.map(({ lateMs }) => lateMs)).toFixed(0)} ms`,
    ],
    ['sandboxes that ended', sandboxes.ended],
    ['largest sandbox over its cap', `${mebibytes(sandboxes.peak - capMb * MEBIBYTE)} MiB over ${capMb} MiB`],
    ['from a sandbox’s end to its replacement', replacement(replacedMs)],
    [
      'restarts of runner, gateway',
      `${runners.filter(({ hasEnded }) => hasEnded).length}, ${Number(gateway.hasEnded)}`,
    ],
    ['runner, least of the first and the last third', troughs(during.map(({ runnerBytes }) => runnerBytes))],
    ['gateway, the same', troughs(during.map(({ gatewayBytes }) => gatewayBytes))],
    [
      'largest sandbox, before and after',
      `${mebibytes(before.sandboxBytes)} → ${mebibytes(after.sandboxBytes)} MiB`,
    ],
    ['open descriptors, before and after', `${before.descriptors} → ${after.descriptors}`],
  ];
  return [table(HEAD, rows), table(['', ''], facts)].join('\n\n');
}

function row({ name, cases }: Family, { byOne, byAll, mixed }: FamilyTally): readonly (string | number)[] {
  const tallies = [byOne, byAll, mixed];
  const runs = tallies.reduce((sum, tally) => sum + tally.runs, 0);
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  return [name, cases.length, runs, passed, byOne.victim, byAll.victim];
}

/** What a process has beside what it is about to give back, which goes up and down. */
function troughs(bytes: readonly number[]): string {
  if (bytes.length === 0) return '–';
  const third = Math.ceil(bytes.length / 3);
  const ends = [bytes.slice(0, third), bytes.slice(-third)];
  return `${ends.map((part) => mebibytes(Math.min(...part))).join(' → ')} MiB`;
}

function replacement(times: readonly number[]): string {
  if (times.length === 0) return '–';
  const { median, max } = summarize(times);
  return `median ${median.toFixed(0)} ms, at most ${max.toFixed(0)} ms`;
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0);
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
