import { Queue } from 'bullmq';
import { nanoid } from 'nanoid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdempotencyRecords, idempotencyRecordKey } from '../../shared/idempotency.ts';
import { encodeInvocation } from '../../shared/invocation.ts';
import { JOB_OPTIONS, QUEUE_NAME } from '../../shared/queue.ts';
import { startBlueprintServer, type BlueprintServer } from '../helpers/blueprint-server.ts';
import { sendRequest, type Answer, type RequestOptions } from '../helpers/http.ts';
import { readMetrics } from '../helpers/metrics.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

/** What a run answers tells runs apart: the blueprint's body counts them. */
const SCRIPT = `setStatus(201);
setHeader('X-Run', readResponseBody());
addHeader('Set-Cookie', 'a=1');
addHeader('set-cookie', 'b=2');
setBody(new Uint8Array([0, 255, 10]));
setBody(readRequestBody());
if (readRequestUrl() === '/large') setBody('x'.repeat(2000));`;

const TOKEN = 'a-token-for-keys';

let blueprints: BlueprintServer;
let system: System;
let ports: number[];
beforeAll(async () => {
  blueprints = await startBlueprintServer();
  system = await startSystem({
    env: { BLUEPRINT_TARGET: blueprints.target, IDEMPOTENCY_MAX_BYTES: '1000', UPSTREAM_TIMEOUT_MS: '20000' },
  });
  ports = [system.port, (await system.addGateway()).port];
  for (const hostname of ['a.example', 'b.example']) await system.deploy(hostname, SCRIPT);
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await blueprints[Symbol.asyncDispose]();
});

/** A key of its own, and a path by which the blueprint server knows it. */
function freshKey(): { key: string; path: string; runs: () => number } {
  const key = nanoid();
  return { key, path: `/${key}`, runs: () => blueprints.asked.filter((path) => path === `/${key}`).length };
}

function post(port: number, key: string, options: Partial<RequestOptions> = {}): Promise<Answer> {
  const { headers = [], ...rest } = options;
  return sendRequest(port, {
    hostname: 'a.example',
    method: 'POST',
    body: 'body',
    ...rest,
    headers: [...headers, ['Idempotency-Key', `"${key}"`]],
  });
}

const recordOf = (key: string): string =>
  idempotencyRecordKey(system.env['QUEUE_PREFIX'] as string, 'a.example', key);

/** How many requests wait for the answer of the one that holds the key. */
async function waitingFor(key: string): Promise<number> {
  return (await system.redis.hkeys(recordOf(key))).filter((field) => field.startsWith('to:')).length;
}

/** What the script made of an answer: all but the gateway's own fields. */
function made({ status, headers, body }: Answer) {
  const own = /^(x-request-id|server-timing|idempotency-replayed|date|connection|keep-alive)$/i;
  return { status, headers: headers.filter(([name]) => !own.test(name)), body };
}

const codeOf = (answer: Answer): unknown => (answer.json() as { code?: string }).code;

test('duplicates at the same time on two gateways: the script runs once, and all get its answer', async () => {
  const { key, path, runs } = freshKey();
  const release = blueprints.hold();
  const pending = Array.from({ length: 8 }, (_, i) => post(ports[i % 2] as number, key, { path }));
  await waitFor('all of them', async () => (await waitingFor(key)) === 7);
  release();
  const answers = await Promise.all(pending);
  for (const answer of answers) expect(made(answer)).toEqual(made(answers[0] as Answer));
  expect(answers.filter((answer) => answer.header('idempotency-replayed') === 'true')).toHaveLength(7);
  expect(new Set(answers.map((answer) => answer.header('x-request-id'))).size).toBe(8);
  expect(runs()).toBe(1);
});

test('a repeat gets the stored answer, byte for byte, from any gateway', async () => {
  const { key, path, runs } = freshKey();
  const first = await post(ports[0] as number, key, { path });
  expect(first.status).toBe(201);
  expect(first.header('idempotency-replayed')).toBeUndefined();
  for (const port of ports) {
    const again = await post(port, key, { path, headers: [['User-Agent', nanoid()]] });
    expect(made(again)).toEqual(made(first));
    expect(again.header('idempotency-replayed')).toBe('true');
    expect(again.header('x-request-id')).not.toBe(first.header('x-request-id'));
    expect(again.header('server-timing')).toContain('total');
  }
  expect(runs()).toBe(1);
});

test.each<[string, Partial<RequestOptions>]>([
  ['body', { body: 'other' }],
  ['query', { path: '/?other' }],
  ['method', { method: 'PATCH' }],
  ['user', { headers: [['Authorization', 'Bearer other']] }],
])('the key with another %s is 422, while it runs and after', async (_what, change) => {
  const key = nanoid();
  const release = blueprints.hold();
  const first = post(ports[0] as number, key);
  await waitFor('the claim', async () => (await system.redis.exists(recordOf(key))) === 1);
  const during = await post(ports[1] as number, key, change);
  release();
  expect((await first).status).toBe(201);
  for (const answer of [during, await post(ports[0] as number, key, change)]) {
    expect(answer.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect(answer.header('content-type')).toBe('application/problem+json');
  }
});

test('another tenant’s key, and a method that needs none, are their own', async () => {
  const { key, path, runs } = freshKey();
  await post(ports[0] as number, key, { path });
  expect((await post(ports[0] as number, key, { path, hostname: 'b.example' })).status).toBe(201);
  await post(ports[0] as number, key, { path, method: 'PUT' });
  const put = await post(ports[0] as number, key, { path, method: 'PUT' });
  expect(put.header('idempotency-replayed')).toBeUndefined();
  expect(runs()).toBe(4);
});

test('a malformed key is 400, and nothing runs', async () => {
  const { path, runs } = freshKey();
  for (const key of ['', 'k'.repeat(256), 'a"b'])
    expect(codeOf(await post(ports[0] as number, key, { path }))).toBe('idempotency_key_invalid');
  const twice = await post(ports[0] as number, 'a', { path, headers: [['Idempotency-Key', '"a"']] });
  expect(twice.json()).toMatchObject({ status: 400, code: 'idempotency_key_invalid' });
  expect(runs()).toBe(0);
});

test('the script’s own failure is kept', async () => {
  await system.deploy('throws.example', 'throw new Error("no")');
  const { key, path, runs } = freshKey();
  for (const replayed of [undefined, 'true']) {
    const answer = await post(ports[0] as number, key, { path, hostname: 'throws.example' });
    expect(codeOf(answer)).toBe('script_error');
    expect(answer.header('idempotency-replayed')).toBe(replayed);
  }
  expect(runs()).toBe(1);
});

test('a failure that is not the script’s frees the key', async () => {
  const { key, path } = freshKey();
  const late = { path, hostname: 'late.example' };
  expect(codeOf(await post(ports[0] as number, key, late))).toBe('script_not_found');
  await system.deploy('late.example', SCRIPT);
  expect((await post(ports[0] as number, key, late)).status).toBe(201);
});

test('an answer too large to be kept reaches those who wait for it; repeats are told, and nothing runs again', async () => {
  const key = nanoid();
  const release = blueprints.hold();
  const pending = ports.map((port) => post(port, key, { path: '/large' }));
  await waitFor('the run', () => blueprints.asked.includes('/large'));
  await waitFor('both', async () => (await waitingFor(key)) === 1);
  const before = blueprints.asked.length;
  release();
  for (const answer of await Promise.all(pending)) expect(answer.body.length).toBeGreaterThan(2000);
  const again = await post(ports[0] as number, key, { path: '/large' });
  expect(again.json()).toMatchObject({ status: 409, code: 'idempotency_answer_too_large' });
  expect(blueprints.asked.length).toBe(before);
});

test('the client goes and comes back: the running one goes on, and answers it', async () => {
  const { key, path, runs } = freshKey();
  const release = blueprints.hold();
  const client = new AbortController();
  const gone = post(ports[0] as number, key, { path, signal: client.signal }).catch(() => 'gone');
  await waitFor('the run', () => runs() === 1);
  client.abort();
  expect(await gone).toBe('gone');
  const back = post(ports[1] as number, key, { path });
  await waitFor('both', async () => (await waitingFor(key)) === 1);
  release();
  expect((await back).status).toBe(201);
  expect(runs()).toBe(1);
});

test('the gateway is killed under a request: a retry at another one gets the answer of the one run', async () => {
  const { key, path, runs } = freshKey();
  const doomed = await system.addGateway();
  const release = blueprints.hold();
  const lost = post(doomed.port, key, { path }).catch(() => 'lost');
  await waitFor('the run', () => runs() === 1);
  doomed.child.signal('SIGKILL');
  expect(await lost).toBe('lost');
  const retry = post(ports[0] as number, key, { path });
  await waitFor('both', async () => (await waitingFor(key)) === 1);
  release();
  expect((await retry).header('idempotency-replayed')).toBe('true');
  expect(runs()).toBe(1);
});

test('a gateway that died between its claim and its job: who waits takes its place', async () => {
  const { key, path, runs } = freshKey();
  const claim = {
    id: 'dead',
    fingerprint: '',
    deadline: Date.now() + 25_000,
    replyTo: 'nowhere',
  };
  await new IdempotencyRecords(system.redis).claim(recordOf(key), claim);
  // The fingerprint is the gateway's business: what it would be is learnt from a request.
  await post(ports[0] as number, `${key}2`, { path });
  const fingerprint = await system.redis.hget(recordOf(`${key}2`), 'fingerprint');
  await system.redis.hset(recordOf(key), 'fingerprint', fingerprint as string);
  const answers = await Promise.all(ports.map((port) => post(port, key, { path })));
  expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  expect(runs()).toBe(2);
});

test('one that waits in its gateway for its turn is not taken for dead; when its client goes, the key is free', async () => {
  await using busy = await startSystem({
    env: { RUNNER_SANDBOXES: '1', SPARE_SANDBOXES: '0', SCRIPT_TIMEOUT_MS: '3000', ADMIN_TOKEN: TOKEN },
  });
  const work = 'const end = Date.now() + 1000; while (Date.now() < end); setBody(String(Math.random()));';
  await busy.deploy('a.example', work);
  const held = async (count: number): Promise<void> =>
    waitFor(`${count} held`, async () => {
      const figures = await readMetrics(busy.adminPort, TOKEN);
      return figures.get('lc500_requests_held') === count;
    });
  // Once its time is known, one runs and one is in the queue; the others are held.
  expect((await busy.request({ hostname: 'a.example' })).status).toBe(200);
  const others = Array.from({ length: 7 }, () => busy.request({ hostname: 'a.example' }));
  await held(5);
  const [leaving, gone, key] = [new AbortController(), nanoid(), nanoid()];
  const left = post(busy.port, gone, { signal: leaving.signal }).catch(() => 'left');
  await held(6);
  const recordKey = idempotencyRecordKey(busy.env['QUEUE_PREFIX'] as string, 'a.example', gone);
  expect(await busy.redis.exists(recordKey)).toBe(1);
  const both = [post(busy.port, key), post(busy.port, key)];
  leaving.abort();
  expect(await left).toBe('left');
  await waitFor('the key', async () => (await busy.redis.exists(recordKey)) === 0);
  // Held for five seconds: a holder without a job would be overtaken after three.
  const [one, other] = await Promise.all(both);
  expect(one?.status).toBe(200);
  expect(other?.text).toBe(one?.text);
  const replayed = [one, other].filter((answer) => answer?.header('Idempotency-Replayed') === 'true');
  expect(replayed).toHaveLength(1);
  await Promise.all(others);
});

test.each([
  ['that was answered, but whose runner died before it could tell, is answered from the store', true],
  ['whose key has passed to another is dropped', false],
])('a job %s; nothing runs', async (_what, isItsOwn) => {
  const { key, path, runs } = freshKey();
  const answer = await post(ports[0] as number, key, { path });
  const holder = (await system.redis.hget(recordOf(key), 'id')) as string;
  const id = isItsOwn ? (answer.header('x-request-id') as string) : 'another';
  const replyTo = `${system.env['QUEUE_PREFIX']}:replies:${key}`;
  const prefix = system.env['QUEUE_PREFIX'] as string;
  const queue = new Queue(QUEUE_NAME, { connection: system.redis, prefix });
  const late = encodeInvocation({
    id,
    ...(isItsOwn ? { secret: holder.slice(id.length + 1) } : {}),
    hostname: 'a.example',
    request: { method: 'POST', url: path, headers: [], body: Buffer.alloc(0) },
    scriptKey: 'a.example/index.js',
    blueprintKey: `http://a.example${path}`,
    deadline: Date.now() + 10_000,
    replyTo,
    idempotencyRecord: recordOf(key),
  });
  await queue.add('invocation', late, { ...JOB_OPTIONS, jobId: id });
  await waitFor('its end', async () => (await queue.getJobState(id)) === 'unknown');
  await queue.close();
  expect(runs()).toBe(1);
  const replies = await system.redis.xrange(replyTo, '-', '+');
  expect(replies.map(([, [, , , body]]) => body)).toEqual(isItsOwn ? [answer.body.toString()] : []);
});

test('without the header nothing is asked of Redis about keys, nor about clients that go', async () => {
  const prefix = system.env['QUEUE_PREFIX'] as string;
  const seen: string[] = [];
  const monitor = await system.redis.monitor();
  monitor.on('monitor', (_time: string, args: string[]) => seen.push(args.join(' ')));
  for (const method of ['GET', 'POST'])
    await sendRequest(ports[0] as number, { hostname: 'a.example', method, path: '/plain' });
  // What is seen of this one shows that all was seen that came before.
  await post(ports[0] as number, 'seen');
  await waitFor('its commands', () => seen.some((command) => command.includes(recordOf('seen'))));
  monitor.disconnect();
  const asked = seen.slice(
    0,
    seen.findIndex((command) => command.includes(recordOf('seen'))),
  );
  expect(asked.filter((command) => command.includes(`${prefix}:invocations`))).not.toEqual([]);
  expect(asked.filter((command) => new RegExp(`${prefix}:(idempotency|abandoned)`).test(command))).toEqual(
    [],
  );
});

test('a thousand keys leave nothing without an end', async () => {
  let next = 0;
  const client = async (): Promise<void> => {
    for (let i = next++; i < 1000; i = next++) await post(ports[i % 2] as number, `many-${i}`);
  };
  await Promise.all(Array.from({ length: 16 }, client));
  const keys = await system.redis.keys(`${system.env['QUEUE_PREFIX']}:*`);
  expect(keys.filter((key) => key.includes(':idempotency:')).length).toBeGreaterThanOrEqual(1000);
  const endless = [];
  for (const key of keys) if ((await system.redis.pttl(key)) === -1) endless.push(key);
  // The queues' own, and the lists of runners and gateways: as many as without a request.
  expect(
    endless.filter(
      (key) =>
        !/:((?:(?:async-)?invocations|callbacks):(meta|events|failed|stalled-check|id|\S{21})|runners|gateways)$/.test(
          key,
        ),
    ),
  ).toEqual([]);
});
