import { Queue } from 'bullmq';
import { QUEUE_NAME } from '../../shared/queue.ts';
import { startSystem, type System } from '../helpers/system.ts';
import type { AttackRoom, Family, HostileCase } from './hostile-case.ts';
import { perform, type Verdict } from './perform.ts';
import { startVictim, type Victim } from './victim.ts';

/** Memory is small, so that bombs burst soon. */
export const LIMITS = {
  SCRIPT_MEMORY_MB: '16',
  SANDBOX_MEMORY_MB: '112',
  RUNNER_SANDBOXES: '3',
  // As it is by default.
  SPARE_SANDBOXES: '2',
  // The largest script is read from a server that has its share of a busy machine, too.
  UPSTREAM_TIMEOUT_MS: '20000',
  MAX_REQUEST_BYTES: '65536',
  MAX_RESPONSE_BYTES: '262144',
  SCRIPT_REVALIDATE_MS: '1000',
};
/** A busy machine may let a bomb's time run out before its memory does; then it is set off again. */
const BOMB_TRIES = 4;

const ECHO = 'setBody(readRequestMethod() + " " + readRequestUrl() + " " + readRequestBody())';

/** One system, every case's script in its bucket, and a victim among the attackers. */
export interface Arena extends AsyncDisposable {
  readonly system: System;
  readonly victim: Victim;
  attack(hostile: HostileCase): Promise<Verdict>;
}

export interface ArenaOptions {
  readonly families: readonly Family[];
  /** A script's time. */
  readonly scriptMs: number;
  /** By how much the machine may delay what happens on it. */
  readonly noiseMs: number;
}

export async function openArena({ families, scriptMs, noiseMs }: ArenaOptions): Promise<Arena> {
  await using stack = new AsyncDisposableStack();
  const system = stack.use(await startSystem({ env: { ...LIMITS, SCRIPT_TIMEOUT_MS: String(scriptMs) } }));
  const prefix = system.env['QUEUE_PREFIX'] as string;
  const queue = new Queue(QUEUE_NAME, { connection: system.redis, prefix });
  stack.defer(() => queue.close());
  const rooms = new Map<HostileCase, AttackRoom>();
  for (const [i, hostile] of families.flatMap(({ cases }) => cases).entries()) {
    const hostname = `c${i}.hostile.example`;
    rooms.set(hostile, { hostname, system, queue, prefix });
    await system.putObject(`${hostname}/index.js`, hostile.script ?? ECHO);
  }
  const victim = await startVictim(system);
  stack.defer(() => victim.stop());
  const limits = { scriptMs, noiseMs };
  const owned = stack.move();
  return {
    system,
    victim,
    async attack(hostile) {
      const room = rooms.get(hostile) as AttackRoom;
      let verdict = await perform(hostile, room, limits);
      for (let i = 1; i < BOMB_TRIES && isOutOfTime(hostile, verdict); i++)
        verdict = await perform(hostile, room, limits);
      return verdict;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function isOutOfTime({ expected }: HostileCase, { problem }: Verdict): boolean {
  return expected === 'memory_limit' && problem !== undefined && problem.includes('script_timeout');
}
