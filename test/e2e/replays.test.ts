import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Queue } from 'bullmq';
import { QUEUE_NAME } from '../../shared/queue.ts';
import { ADMIN_TOKEN, adminOf, type Admin } from '../helpers/admin.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const KEY = '00112233445566778899aabbccddeeff'.repeat(2);
let system: System;
let admin: Admin;
let queue: Queue;
beforeAll(async () => {
  system = await startSystem({ env: { ADMIN_TOKEN, BLUEPRINT_TARGET: 's3', RECORD_KEY: KEY } });
  admin = adminOf(system);
  queue = new Queue(QUEUE_NAME, { connection: system.redis, prefix: system.env['QUEUE_PREFIX'] as string });
});
afterAll(async () => {
  await queue.close();
  await system[Symbol.asyncDispose]();
});

interface Run {
  readonly state: string;
  readonly total: number;
  readonly done: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly outcomes: Record<string, number>;
  readonly replays: string[];
}

async function failOnce(
  hostname: string,
  options: { method?: string; body?: Buffer; headers?: [string, string][] } = {},
) {
  const answer = await system.request({ hostname, path: '/x', ...options });
  const id = answer.header('x-request-id') as string;
  await admin.record(id);
  return id;
}

async function replay(id: string, order: object = {}) {
  const answer = await admin.send('POST', `/invocations/${id}/replay`, order);
  expect(answer.status).toBe(202);
  return admin.record((answer.json() as { id: string }).id);
}

const runState = async (id: string): Promise<Run> => (await admin.get(`/replays/${id}`)).json() as Run;

async function replayMany(order: object): Promise<Run> {
  const answer = await admin.send('POST', '/replays', order);
  expect(answer.status).toBe(202);
  const { id } = answer.json() as { id: string };
  await waitFor('the end of all', async () => (await runState(id)).state === 'done');
  return runState(id);
}

test('50 failed requests, replayed with the mended script, give what it gives, bit for bit; with theirs, the same errors', async () => {
  const api =
    'setHeader("X-Len", readRequestBodyBytes().length); setBody(readRequestUrl()); setBody(readRequestBodyBytes());';
  await system.deploy('fifty.example', `null.x; ${api}`);
  const bodies = Array.from({ length: 50 }, (_, i) =>
    i % 3 === 0
      ? Buffer.from([i, 255, 0, 200, i])
      : i % 3 === 1
        ? Buffer.alloc(66_000, i)
        : Buffer.from(`text ${i} é`),
  );
  const send = (body: Buffer, i: number) =>
    system.request({ hostname: 'fifty.example', method: 'POST', path: `/${i}`, body });
  const ids: string[] = [];
  for (const [i, body] of bodies.entries()) ids.push((await send(body, i)).header('x-request-id') as string);
  await waitFor('50 records', async () => (await admin.list('tenant=fifty.example')).length === 50);
  await system.deploy('fifty.example', api);
  const filter = { tenant: 'fifty.example', code: 'script_error' };
  const dry = await admin.send('POST', '/replays', { filter, script: 'current', dryRun: true });
  expect(dry.json()).toEqual({ count: 50, skipped: { unsafe_method: 50 } });
  const mended = await replayMany({ filter, script: 'current', unsafe: true, rate: 200 });
  expect(mended).toMatchObject({
    total: 50,
    done: 50,
    succeeded: 50,
    failed: 0,
    skipped: 0,
    outcomes: { answered: 50 },
  });
  const given = await Promise.all(bodies.map(send));
  for (const id of mended.replays) {
    const record = await admin.record(id);
    const i = ids.indexOf(record.replayOf?.id as string);
    const answer = (await admin.get(`/invocations/${id}/answer`)).body;
    expect(answer.equals(given[i]?.body as Buffer)).toBe(true);
    expect(record.answer).toMatchObject({ status: 200, headers: [['X-Len', String(bodies[i]?.length)]] });
  }
  const broken = await replayMany({ filter, script: 'original', unsafe: true, rate: 200 });
  expect(broken).toMatchObject({ total: 50, done: 50, succeeded: 0, outcomes: { script_error: 50 } });
  const records = await Promise.all(broken.replays.map((id) => admin.record(id)));
  expect(records.filter(({ replayOf }) => replayOf?.comparison?.same !== true)).toEqual([]);
});

test('script and blueprint are the ones that are asked for, and the comparison tells what differs', async () => {
  const put = (body: string) =>
    system.putObject('modes.example/blueprint.json', JSON.stringify({ status: 200, body }));
  await put('old');
  await system.deploy('modes.example', 'setBody(`one ${readResponseBody()}`); null.x');
  const id = await failOnce('modes.example');
  await put('new');
  await system.deploy('modes.example', 'setBody(`two ${readResponseBody()}`)');
  const answerTo = async (order: object): Promise<string> => {
    const record = await replay(id, order);
    return (await admin.get(`/invocations/${record.id}/answer`)).text;
  };
  expect(await answerTo({ script: 'current', blueprint: 'original' })).toBe('two old');
  expect(await answerTo({ script: 'current', blueprint: 'fresh' })).toBe('two new');
  const given = { source: 'setStatus(201); setHeader("A", "b"); setBody(`given ${readResponseBody()}`)' };
  const first = await replay(id, { script: given });
  expect(first.replayOf).toMatchObject({ id, script: 'source', blueprint: 'original' });
  expect(first.replayOf?.comparison).toMatchObject({
    same: false,
    code: ['script_error', null],
    status: [500, 201],
  });
  const second = await replay(first.id, { script: 'current' });
  expect(second.replayOf?.comparison).toMatchObject({
    headers: [{ name: 'a', original: ['b'], replay: [] }],
    body: { same: false, firstDifference: 0, excerpts: ['given old', 'two old'] },
  });
  expect((await replay(id)).replayOf?.comparison).toMatchObject({ same: true });
  expect((await admin.record(id)).replays).toHaveLength(4);
});

test('a replay has the headers that are kept encrypted', async () => {
  await system.deploy('cookie.example', 'null.x');
  const id = await failOnce('cookie.example', {
    headers: [
      ['X-A', '1'],
      ['Cookie', 'a=b'],
      ['X-B', '2'],
    ],
  });
  const source = 'setBody(JSON.stringify(readRequestHeaders()))';
  const { id: again } = await replay(id, { script: { source } });
  const headers = JSON.parse((await admin.get(`/invocations/${again}/answer`)).text) as object;
  expect(Object.entries(headers).slice(1, 4)).toEqual([
    ['X-A', ['1']],
    ['Cookie', ['a=b']],
    ['X-B', ['2']],
  ]);
});

describe('guards', () => {
  const problem = async (id: string, order: object) =>
    ((await admin.send('POST', `/invocations/${id}/replay`, order)).json() as { code?: string }).code;

  test('a method that is not safe', async () => {
    await system.deploy('guard.example', 'null.x');
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      expect(await problem(await failOnce('guard.example', { method }), {})).toBe('unsafe_method');
  });

  test('a version that is gone', async () => {
    await system.deploy('gone.example', 'null.x');
    const id = await failOnce('gone.example');
    const { script } = await admin.record(id);
    await system.deleteObject(`.versions/gone.example/${script.sha256}.js`);
    expect(await problem(id, {})).toBe('script_version_gone');
    expect((await admin.get(`/invocations/${id}/script`)).status).toBe(410);
    expect((await replay(id, { script: 'current' })).code).toBe('script_error');
  });

  test('what still runs, and a replay that still runs', async () => {
    await system.deploy('slow.example', 'null.x');
    const id = await failOnce('slow.example');
    // A replay waits as long as no runner takes jobs.
    await queue.pause();
    const order = () => admin.send('POST', `/invocations/${id}/replay`, {});
    const both = await Promise.all([order(), order()]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
    const begun = both.find(({ status }) => status === 202)?.json() as { id: string };
    expect(await problem(id, {})).toBe('still_running');
    expect(await problem(begun.id, {})).toBe('still_running');
    const again = await admin.send('POST', `/invocations/${id}/replay`, { again: true });
    expect(again.status).toBe(202);
    const many = await admin.send('POST', '/replays', { filter: { tenant: 'slow.example' } });
    const run = (many.json() as { id: string }).id;
    await waitFor('its end', async () => (await runState(run)).state === 'done');
    expect((await runState(run)).outcomes).toEqual({ 'skipped:still_running': 1 });
    await queue.resume();
    await admin.record(begun.id);
    await admin.record((again.json() as { id: string }).id);
    await replay(id);
  });
});

test('replays wait behind live requests', async () => {
  await system.deploy('order.example', 'null.x');
  const id = await failOnce('order.example');
  await queue.pause();
  const { id: replayed } = (await admin.send('POST', `/invocations/${id}/replay`, {})).json() as {
    id: string;
  };
  const live = system.request({ hostname: 'order.example' });
  await waitFor('both', async () => (await queue.getJobCountByTypes('prioritized', 'waiting')) >= 2);
  const key = (name: string): string => `${system.env['QUEUE_PREFIX']}:invocations:${name}`;
  expect(await system.redis.zrange(key('prioritized'), '0', '-1')).toEqual([replayed]);
  await queue.resume();
  await live;
  await admin.record(replayed);
});

test('a replay of many is stopped, and goes on when its gateway dies', async () => {
  await system.deploy('many.example', 'null.x');
  for (let i = 0; i < 12; i++) await failOnce('many.example');
  const second = await system.addGateway();
  const filter = { tenant: 'many.example' };
  const begin = async (rate: number): Promise<string> =>
    ((await admin.send('POST', '/replays', { filter, rate })).json() as { id: string }).id;
  const stopped = await begin(1);
  await waitFor('its first', async () => (await runState(stopped)).done >= 1);
  expect((await admin.send('DELETE', `/replays/${stopped}`)).status).toBe(204);
  const then = await runState(stopped);
  expect(then).toMatchObject({ state: 'stopped', total: 12 });
  expect(then.done).toBeLessThan(12);
  const id = await begin(2);
  await waitFor('its first', async () => (await runState(id)).done >= 1);
  system.gateway.signal('SIGKILL');
  await system.gateway.exit;
  const other = adminOf({ ...system, adminPort: second.adminPort });
  const state = async () => (await other.get(`/replays/${id}`)).json() as Run;
  await waitFor('the end of all', async () => (await state()).state === 'done', { timeoutMs: 28_000 });
  expect(await state()).toMatchObject({ total: 12, done: 12, failed: 12, skipped: 0 });
  expect(new Set((await state()).replays).size).toBe(12);
});
