import { latencyOf } from '../bench/statistics.ts';
import type { Account } from './account.ts';
import type { Footprint } from './footprint.ts';
import type { Seen } from './load.ts';

/** One thing that has to hold, and what was found. */
export interface Verdict {
  readonly what: string;
  readonly found: string;
  readonly holds: boolean;
}

/** Memory may be this much more at the end than after the first tenth, MiB: heaps breathe. */
const MEMORY_SLACK = { gateway: 64, redis: 32 };
/** A heartbeat or a mark can come or go while keys are counted. */
const KEY_SLACK = 8;
const DEADLINE_MS = 25_000;

/** @param early after the first tenth, under load; @param before and @param after idle */
export function judge(
  requests: number,
  seen: Seen,
  account: Account,
  found: { before: Footprint; early: Footprint; after: Footprint; replacements: readonly number[] },
): Verdict[] {
  const { before, early, after, replacements } = found;
  const ended = Object.values(account.endings).reduce((sum, count) => sum + count, 0);
  const isSame = Object.keys({ ...seen.answers, ...account.endings }).every(
    (code) => seen.answers[code] === account.endings[code],
  );
  const growth = (name: keyof Footprint): string => `${format(before[name])} → ${format(after[name])}`;
  return [
    {
      what: 'every request was answered, once',
      found: `${requests - seen.unanswered} of ${requests}`,
      holds: seen.unanswered === 0,
    },
    { what: 'no answer was another’s', found: `${seen.crossed} were`, holds: seen.crossed === 0 },
    {
      what: 'none later than its deadline + 1 s',
      found: `slowest ${Math.round(seen.slowestMs)} ms`,
      holds: seen.slowestMs < DEADLINE_MS + 1000,
    },
    {
      what: 'accepted = ended, none in flight, none twice',
      found: `${account.accepted} = ${ended}, ${account.inFlight}, ${account.secondEndings}`,
      holds:
        account.accepted === requests &&
        ended === requests &&
        account.inFlight + account.secondEndings + account.awaited === 0,
    },
    {
      what: 'gateways count what clients saw, code by code',
      found: JSON.stringify(account.endings),
      holds: isSame,
    },
    { what: 'processes', found: growth('processes'), holds: after.processes === before.processes },
    {
      what: 'descriptors of gateways',
      found: growth('gatewayDescriptors'),
      holds: after.gatewayDescriptors <= before.gatewayDescriptors + 2,
    },
    {
      what: 'descriptors of runners',
      found: growth('runnerDescriptors'),
      holds: after.runnerDescriptors <= before.runnerDescriptors + 4,
    },
    {
      what: 'connections to Redis',
      found: growth('redisConnections'),
      holds: after.redisConnections <= before.redisConnections,
    },
    {
      what: 'keys, beside records: one for each request that failed, at most',
      found: `${growth('keys')}, ${after.failures} records`,
      holds: after.keys <= before.keys + KEY_SLACK && after.failures <= ended - (account.endings['ok'] ?? 0),
    },
    {
      what: 'memory of gateways since the first tenth, MiB',
      found: `${format(early.gatewayMemory)} → ${format(after.gatewayMemory)}`,
      holds: after.gatewayMemory <= early.gatewayMemory + MEMORY_SLACK.gateway,
    },
    {
      what: 'memory of Redis since the first tenth, MiB',
      found: `${format(early.redisMemory)} → ${format(after.redisMemory)}`,
      holds: after.redisMemory <= early.redisMemory + MEMORY_SLACK.redis,
    },
    {
      what: 'from a sandbox’s end to its replacement, ms (the load keeps all cores busy)',
      found: replaced(replacements),
      holds: true,
    },
    { what: 'memory of runners, MiB (they are young)', found: growth('runnerMemory'), holds: true },
  ];
}

function format(figure: number): string {
  return String(Math.round(figure));
}

function replaced(ms: readonly number[]): string {
  const { p50, p99 } = latencyOf(ms);
  return `median ${format(p50)}, p99 ${format(p99)}, of ${ms.length}`;
}
