import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { sendRequest } from '../helpers/http.ts';
import { isAlive, processTree, wholeTree } from '../helpers/process-tree.ts';
import { connectionsOf } from './connections.ts';
import { ADMIN_TOKEN, PREFIX, SANDBOXES, type GatewayPart, type Lab } from './lab.ts';

/** What there was before anything happened. */
export interface Baseline {
  readonly connections: number;
}

/** Two more sandboxes than `RUNNER_SANDBOXES` are kept for brief scripts. */
const SPARE = 2;
/** How long a system may take to come to rest, ms. */
const SETTLE_MS = 15_000;
const LOOK_MS = 100;

export async function takeBaseline(lab: Lab): Promise<Baseline> {
  return { connections: (await connectionsOf(lab.redis.admin)).length };
}

/** What is left over when everything has been answered, a sentence each; waits until nothing is, for a while. */
export async function leaks(lab: Lab, baseline: Baseline): Promise<string[]> {
  const giveUp = performance.now() + SETTLE_MS;
  for (;;) {
    const found = await look(lab, baseline);
    if (found.length === 0 || performance.now() > giveUp) return found;
    await sleep(LOOK_MS);
  }
}

async function look(lab: Lab, baseline: Baseline): Promise<string[]> {
  const parts = await Promise.all([
    ...lab.gateways.map(waitersAndCounts),
    connections(lab, baseline),
    keys(lab.redis.admin, lab.gateways.length),
  ]);
  return [...processes(lab), ...parts.flat()];
}

function processes(lab: Lab): string[] {
  const expected = new Set<number>();
  const found: string[] = [];
  for (const { child } of lab.runners) {
    const sandboxes = processTree(child.pid).slice(1);
    for (const { pid } of wholeTree(child.pid)) expected.add(pid);
    if (sandboxes.length < SANDBOXES || sandboxes.length > SANDBOXES + SPARE)
      found.push(`${sandboxes.length} sandboxes under a runner of ${SANDBOXES}`);
  }
  const orphans = [...lab.descendantsSeen].filter((pid) => !expected.has(pid) && isAlive(pid));
  if (orphans.length > 0) found.push(`processes without a runner: ${orphans.join()}`);
  return found;
}

async function connections(lab: Lab, baseline: Baseline): Promise<string[]> {
  const now = await connectionsOf(lab.redis.admin);
  if (now.length === baseline.connections) return [];
  return [
    `${now.length} connections to Redis, not ${baseline.connections}: ${now.map(({ command }) => command).join()}`,
  ];
}

/** Nobody waits for a reply any more, and every accepted request has come to its end. */
async function waitersAndCounts({ adminPort }: GatewayPart): Promise<string[]> {
  const authorization = ['Authorization', `Bearer ${ADMIN_TOKEN}`] as const;
  const { text } = await sendRequest(adminPort, {
    hostname: 'admin',
    path: '/metrics',
    headers: [authorization],
  });
  const found: string[] = [];
  const waiting = sum(text, 'lc500_replies_awaited');
  if (waiting !== undefined && waiting !== 0) found.push(`${waiting} waiters at a gateway`);
  const [accepted, ended] = [
    sum(text, 'lc500_invocations_accepted_total'),
    sum(text, 'lc500_invocations_total'),
  ];
  if (accepted !== ended) found.push(`${accepted} requests accepted, ${ended} came to an end`);
  return found;
}

function sum(metrics: string, name: string): number | undefined {
  const values = [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return values.length === 0 ? undefined : values.reduce((total, [, value]) => total + Number(value), 0);
}

const QUEUE = `${PREFIX}:invocations`;
const OTHER_QUEUES = [`${PREFIX}:async-invocations`, `${PREFIX}:callbacks`];
/** Bounded, and there for as long as the deployment is. */
const STANDING = new Set([
  ...[QUEUE, ...OTHER_QUEUES].flatMap((queue) =>
    ['meta', 'id', 'events', 'failed', 'marker', 'stalled-check'].map((name) => `${queue}:${name}`),
  ),
  `${PREFIX}:runners`,
  `${PREFIX}:gateways`,
  `${PREFIX}:async-endings`,
]);

/** Keys that belong to nothing, and those that should end by themselves and do not. */
async function keys(redis: Redis, gateways: number): Promise<string[]> {
  const all = await redis.keys('*');
  const failed = new Set(await redis.zrange(`${QUEUE}:failed`, '0', '-1'));
  const found: string[] = [];
  const streams = all.filter((key) => key.startsWith(`${PREFIX}:replies:`));
  for (const key of all.filter((name) => !STANDING.has(name) && !isOfFailed(name, failed))) {
    const endsByItself = (await redis.pttl(key)) !== -1;
    // The body of a job that was never added, because its gateway died in between (gateway/enqueue.ts).
    const isOrphan = endsByItself && key.endsWith(':logs');
    if (key.startsWith(`${QUEUE}:`) && !isOrphan) found.push(`left in Redis: ${key}`);
    else if (!endsByItself) found.push(`without an end in Redis: ${key}`);
  }
  const filled = await Promise.all(streams.map((key) => redis.xlen(key)));
  const live = streams.filter((_, i) => (filled[i] ?? 0) > 0).length;
  if (live > 2 * gateways) found.push(`${live} reply streams with something in them`);
  return found;
}

function isOfFailed(key: string, failed: ReadonlySet<string>): boolean {
  if (!key.startsWith(`${QUEUE}:`)) return false;
  const id = key.slice(QUEUE.length + 1).replace(/:logs$/, '');
  return failed.has(id);
}
