import type { Job } from 'bullmq';
import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { afterAll, expect, inject, test } from 'vitest';
import { Bodies } from '../../runner/bodies.ts';
import { TAKEN } from '../../runner/under-way.ts';
import { loadConfig } from '../../shared/config.ts';
import type { Invocation } from '../../shared/invocation.ts';
import { keepJobBody, putJobBody } from '../../shared/job-body.ts';
import { jobKeyOf } from '../../shared/queue.ts';

const prefix = `test-${nanoid().replaceAll('_', 'x')}`;
const config = loadConfig({ QUEUE_PREFIX: prefix, MAX_REQUEST_BYTES: '1000' });
const redis = new Redis(inject('services').REDIS_URL);
const bodies = new Bodies(redis, config);
afterAll(async () => {
  const left = await redis.keys(`${prefix}:*`);
  if (left.length > 0) await redis.del(left);
  redis.disconnect();
});

function given(bytes: number): { job: Job; key: string; invocation: Invocation } {
  const id = nanoid();
  const job = { id, queueName: 'invocations' } as Job;
  const request = { method: 'GET', url: '/', headers: [], body: Buffer.alloc(0) };
  const rest = { id, hostname: 'a.example', scriptKey: 'a.example/index.js', blueprintKey: null };
  const invocation = { ...rest, request, deadline: 1, replyTo: 'stream', bodyBeside: bytes };
  return { job, key: jobKeyOf(prefix, job), invocation };
}

test('a body that lies beside its job is fetched, and the invocation is whole then', async () => {
  const { job, key, invocation } = given(3);
  await putJobBody(redis, key, Buffer.from('abc'), 10_000);
  await keepJobBody(redis, key);
  const { bodyBeside: _none, ...rest } = invocation;
  const whole = { ...rest, request: { ...invocation.request, body: Buffer.from('abc') } };
  expect(await bodies.complete(job, invocation)).toEqual(whole);
  expect(await bodies.complete(job, whole)).toBe(whole);
});

test('a body that is said to be over the limit is not fetched', async () => {
  const { job, key, invocation } = given(1001);
  await putJobBody(redis, key, Buffer.alloc(1001), 10_000);
  await expect(bodies.complete(job, invocation)).rejects.toMatchObject({ code: 'request_too_large' });
});

test('no body beside a job that is there is queue_unavailable', async () => {
  const { job, key, invocation } = given(3);
  await redis.hset(key, 'name', 'invocation');
  await expect(bodies.complete(job, invocation)).rejects.toMatchObject({ code: 'queue_unavailable' });
});

test('no body beside a job that is gone, too, is another’s doing', async () => {
  const { job, invocation } = given(3);
  await expect(bodies.complete(job, invocation)).rejects.toBe(TAKEN);
});

test('while Redis is away a body is waited for until the signal', async () => {
  const away = new Redis({ port: 1, maxRetriesPerRequest: null });
  away.on('error', () => undefined);
  const { job, invocation } = given(3);
  const end = new AbortController();
  const waiting = new Bodies(away, config).complete(job, invocation, end.signal);
  setTimeout(() => end.abort(TAKEN), 50);
  await expect(waiting).rejects.toBe(TAKEN);
  await expect(new Bodies(away, config).complete(job, invocation, end.signal)).rejects.toBe(TAKEN);
  away.disconnect();
});
