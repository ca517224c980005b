import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { enqueue, isNotTaken } from '../../gateway/enqueue.ts';
import { RedisClock } from '../../shared/clock.ts';
import type { Invocation } from '../../shared/invocation.ts';
import { QUEUE_NAME } from '../../shared/queue.ts';
import { waitFor } from '../helpers/wait.ts';

const prefix = `test-${nanoid().replaceAll('_', 'x')}`;
const redis = new Redis(inject('services').REDIS_URL, { maxRetriesPerRequest: null });
const deps = { redis, clock: new RedisClock(redis) };
let queue: Queue;
beforeAll(() => {
  queue = new Queue(QUEUE_NAME, { connection: redis, prefix });
});
afterAll(async () => {
  await queue.close();
  const left = await redis.keys(`${prefix}:*`);
  if (left.length > 0) await redis.del(left);
  redis.disconnect();
});

const invocation = (bytes: number): Invocation => ({
  id: nanoid(),
  hostname: 'a.example',
  request: { method: 'GET', url: '/', headers: [], body: Buffer.alloc(bytes, 'x') },
  scriptKey: 'a.example/index.js',
  blueprintKey: null,
  deadline: Date.now() + 10_000,
  replyTo: 'stream',
});

test.each([
  [16_384, 0],
  [16_385, 1],
])('of a body of %s bytes, %s lie beside the job', async (bytes, beside) => {
  const given = invocation(bytes);
  await enqueue(deps, queue, given);
  expect(await redis.exists(queue.toKey(given.id))).toBe(1);
  expect(await redis.exists(`${queue.toKey(given.id)}:logs`)).toBe(beside);
});

test('a job that Redis refuses leaves nothing behind', async () => {
  await redis.set(queue.toKey('meta'), 'no hash');
  const given = invocation(20_000);
  const error = await enqueue(deps, queue, given).catch((thrown: unknown) => thrown);
  await redis.del(queue.toKey('meta'));
  expect(error).toMatchObject({ code: 'queue_unavailable' });
  expect(isNotTaken(error)).toBe(true);
  const key = queue.toKey(given.id);
  await waitFor('job and body to be gone', async () => (await redis.exists(key, `${key}:logs`)) === 0);
});

test('a job whose body Redis refuses may be run, so that whoever asked for it has to take it out', async () => {
  const given = invocation(20_000);
  await redis.set(`${queue.toKey(given.id)}:logs`, 'no list');
  const error = await enqueue(deps, queue, given).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'queue_unavailable' });
  expect(isNotTaken(error)).toBe(false);
  expect(await queue.remove(given.id)).toBe(1);
  expect(await redis.exists(`${queue.toKey(given.id)}:logs`)).toBe(0);
});

test('a body stays only for a minute beyond the deadline until its job is confirmed', async () => {
  const given = invocation(20_000);
  const unconfirmed = new Queue(QUEUE_NAME, { connection: redis, prefix });
  unconfirmed.add = () => Promise.reject(new Error('Command timed out'));
  await expect(enqueue(deps, unconfirmed, given)).rejects.toMatchObject({ code: 'queue_unavailable' });
  const ttl = await redis.pttl(`${queue.toKey(given.id)}:logs`);
  expect(ttl).toBeGreaterThan(60_000);
  expect(ttl).toBeLessThanOrEqual(70_000);
  await unconfirmed.close();
});
