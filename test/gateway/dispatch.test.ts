import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Abandoned } from '../../gateway/abandon.ts';
import { Admission } from '../../gateway/admission/admission.ts';
import { dispatch } from '../../gateway/dispatch.ts';
import { Replies } from '../../gateway/replies.ts';
import { RedisClock } from '../../shared/clock.ts';
import { loadConfig } from '../../shared/config.ts';
import type { Invocation } from '../../shared/invocation.ts';
import { QUEUE_NAME, replyStreamKey } from '../../shared/queue.ts';
import { waitFor } from '../helpers/wait.ts';

const prefix = `test-${nanoid().replaceAll('_', 'x')}`;
const redis = new Redis(inject('services').REDIS_URL, { maxRetriesPerRequest: null });
let queue: Queue;
beforeAll(() => {
  queue = new Queue(QUEUE_NAME, { connection: redis, prefix });
});
afterAll(async () => {
  await queue.obliterate();
  await queue.close();
  redis.disconnect();
});

/** What a gateway does while it knows of no runner, with jobs that end when the test says so. */
function startRig(idempotencyRecord?: string) {
  const replyTo = replyStreamKey(prefix, nanoid());
  const replies = new Replies(replyTo, redis, redis, loadConfig({}), pino({ level: 'silent' }));
  const admission = new Admission({ tenantWaitMs: 2000, hasBlueprints: false });
  const abandoned: ((how: Abandoned) => void)[] = [];
  const abandon = (): Promise<Abandoned> => new Promise((resolve) => abandoned.push(resolve));
  const dispatcher = { redis, queue, replies, clock: new RedisClock(redis), abandon, admission };
  const ask = (deadlineMs = 60_000) => {
    const leaving = new AbortController();
    let isQueued = false;
    const invocation: Invocation = {
      id: nanoid(),
      hostname: 'a.example',
      request: { method: 'GET', url: '/', headers: [], body: Buffer.alloc(0) },
      scriptKey: 'a.example/index.js',
      blueprintKey: null,
      deadline: Date.now() + deadlineMs,
      replyTo,
      ...(idempotencyRecord !== undefined && { idempotencyRecord }),
    };
    const reply = dispatch(dispatcher, invocation, leaving.signal, () => (isQueued = true));
    reply.catch(() => undefined);
    return { reply, leave: () => leaving.abort(), isQueued: () => isQueued };
  };
  return { ask, admission, abandoned };
}

/** More requests than a tenant's window has room for. */
function fill(rig: ReturnType<typeof startRig>, firstDeadlineMs?: number) {
  const all = Array.from({ length: 20 }, (_, i) => rig.ask(i === 0 ? firstDeadlineMs : undefined));
  const queued = all.filter(({ isQueued }) => isQueued());
  expect(queued.length).toBe(20 - rig.admission.held);
  return { first: queued[0] as (typeof all)[number], held: all.filter(({ isQueued }) => !isQueued()) };
}

test.each(['gone', 'called off'] as const)(
  'a client that leaves has its job until that is %s',
  async (how) => {
    const rig = startRig();
    const { first, held } = fill(rig);
    first.leave();
    await expect(first.reply).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await waitFor('its end to be asked for', () => rig.abandoned.length === 1);
    expect(rig.admission.held).toBe(held.length);
    rig.abandoned[0]?.(how);
    await waitFor('the next', () => rig.admission.held === held.length - 1);
    expect(held[0]?.isQueued()).toBe(true);
  },
);

test('a job that goes on is its tenant’s until its time is up', async () => {
  const rig = startRig(`${prefix}:idempotency:a`);
  const { first, held } = fill(rig, 3000);
  first.leave();
  await waitFor('its end to be asked for', () => rig.abandoned.length === 1);
  rig.abandoned[0]?.('goes on');
  await new Promise((resolve) => setImmediate(resolve));
  expect(rig.admission.held).toBe(held.length);
  await waitFor('the next', () => rig.admission.held === held.length - 1);
});

test('who leaves while he is held had no job', async () => {
  const rig = startRig();
  const { held } = fill(rig);
  held[0]?.leave();
  await expect(held[0]?.reply).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(rig.admission.held).toBe(held.length - 1);
  expect(rig.abandoned).toEqual([]);
});
