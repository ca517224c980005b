import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeInvocation, type Invocation } from '../../shared/invocation.ts';
import { JOB_OPTIONS, QUEUE_NAME } from '../../shared/queue.ts';
import { sendRequest } from '../helpers/http.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

let system: System;
let queue: Queue;
beforeAll(async () => {
  system = await startSystem({ env: { REQUEST_DEADLINE_MS: '5000' } });
  await system.deploy('a.example', 'setBody(readRequestUrl())');
  queue = new Queue(QUEUE_NAME, { connection: system.redis, prefix: system.env['QUEUE_PREFIX'] as string });
});
afterAll(async () => {
  await queue.close();
  await system[Symbol.asyncDispose]();
});

const streams = (): Promise<string[]> => system.redis.keys(`${system.env['QUEUE_PREFIX']}:replies:*`);

function invocation(id: string, change: Partial<Invocation> = {}): Invocation {
  return {
    id,
    hostname: 'a.example',
    request: { method: 'GET', url: '/', headers: [], body: Buffer.alloc(0) },
    scriptKey: 'a.example/index.js',
    blueprintKey: null,
    deadline: Date.now() + 10_000,
    replyTo: `${system.env['QUEUE_PREFIX']}:replies:test`,
    ...change,
  };
}

test('replies that are unreadable, unclaimed or doubled are dropped', async () => {
  const [stream] = await streams();
  const timings = { prepare: 0, isolate: 0, script: 0, total: 0 };
  const reply = { v: 1, kind: 'response', id: 'nobody', status: 200, headers: [], timings };
  for (const head of [
    '{',
    '{"v":9}',
    JSON.stringify({ ...reply, status: 99 }),
    JSON.stringify(reply),
    JSON.stringify(reply),
  ]) {
    await system.redis.xadd(stream as string, '*', 'h', head, 'b', 'forged');
  }
  await system.redis.xadd(stream as string, '*', 'other', 'fields');
  expect((await system.request({ hostname: 'a.example', path: '/after' })).text).toBe('/after');
  await waitFor('an empty stream', async () => (await system.redis.xlen(stream as string)) === 0);
});

test('a job that is not an invocation fails and is kept, and the runner goes on', async () => {
  for (const data of [null, { v: 99 }, { ...encodeInvocation(invocation('x')), headers: 'no' }]) {
    const job = await queue.add('invocation', data, JOB_OPTIONS);
    await waitFor('its failure', async () => (await job.getState()) === 'failed');
    expect((await queue.getJob(job.id as string))?.failedReason).toMatch(/^not an invocation/);
  }
  expect((await system.request({ hostname: 'a.example', path: '/after' })).text).toBe('/after');
});

test('a job whose deadline has passed never runs', async () => {
  const late = invocation('late', { deadline: Date.now() - 1 });
  await queue.add('invocation', encodeInvocation(late), { ...JOB_OPTIONS, jobId: late.id });
  const record = `${system.env['QUEUE_PREFIX']}:records:one:late`;
  await waitFor('its record', async () => (await system.redis.exists(record)) === 1);
  expect(JSON.parse((await system.redis.hget(record, 'json')) as string)).toMatchObject({
    code: 'deadline_exceeded',
    timings: { script: 0 },
    script: { sha256: null },
  });
  await waitFor('the end of its job', async () => (await queue.getJobState('late')) === 'unknown');
});

test('the same job twice is one job', async () => {
  const twice = invocation('twice', { replyTo: `${system.env['QUEUE_PREFIX']}:replies:twice` });
  const add = () => queue.add('invocation', encodeInvocation(twice), { ...JOB_OPTIONS, jobId: twice.id });
  await Promise.all([add(), add()]);
  await waitFor('its reply', async () => (await system.redis.xlen(twice.replyTo)) > 0);
  expect(await system.redis.xlen(twice.replyTo)).toBe(1);
  // Nobody reads it, so it goes by itself.
  expect(await system.redis.pttl(twice.replyTo)).toBeGreaterThan(0);
});

test('two gateways on one queue each get their own replies', async () => {
  const before = await streams();
  const second = await system.addGateway();
  const ports = [system.port, second.port];
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      sendRequest(ports[i % 2] as number, { hostname: 'a.example', path: `/${i}` }),
    ),
  );
  expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 100 }, (_, i) => `/${i}`));
  second.child.signal('SIGTERM');
  await second.child.exit;
  expect((await streams()).sort()).toEqual(before.sort());
});

test('every connection of the gateway is cut again and again under load: nobody hangs, no reply is lost', async () => {
  const statuses: number[] = [];
  const stopped = new AbortController();
  const client = async (): Promise<void> => {
    while (!stopped.signal.aborted) statuses.push((await system.request({ hostname: 'a.example' })).status);
  };
  const clients = Array.from({ length: 8 }, client);
  for (let round = 0; round < 20; round++) {
    const then = statuses.length;
    await waitFor('answers', () => statuses.length > then + 20);
    const connections = String(await system.redis.client('LIST')).split('\n');
    const readers = connections
      .filter((line) => / cmd=xread /.test(line))
      .map((line) => /\bid=(\d+)/.exec(line)?.[1]);
    for (const id of readers) if (id) await system.redis.client('KILL', 'ID', id);
  }
  stopped.abort();
  await Promise.all(clients);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});
