import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBlueprintServer, type BlueprintServer } from '../helpers/blueprint-server.ts';
import type { Child } from '../helpers/child.ts';
import { sendRequest, type RequestOptions } from '../helpers/http.ts';
import { processTree } from '../helpers/process-tree.ts';
import { startSystem, type System, type SystemOptions } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

let system: System;
let blueprints: BlueprintServer;
beforeEach(async () => {
  blueprints = await startBlueprintServer();
});
afterEach(async () => {
  await system[Symbol.asyncDispose]();
  await blueprints[Symbol.asyncDispose]();
});

/** Long enough that nothing but abandonment ends a script within a test. */
const PATIENT = { SCRIPT_TIMEOUT_MS: '60000', REQUEST_DEADLINE_MS: '60000', UPSTREAM_TIMEOUT_MS: '60000' };

async function start({ env = {}, ...options }: SystemOptions = {}): Promise<void> {
  system = await startSystem({ ...options, env: { ...PATIENT, RUNNER_SANDBOXES: '1', ...env } });
  await system.deploy('loop.example', 'for(;;){}');
  await system.deploy('a.example', 'console.log("ran"); setBody("ok")');
}

interface Client {
  /** Closes the connection; resolves when that has been seen. */
  go(): Promise<void>;
}

function client(options: RequestOptions, port = system.port): Client {
  const leaving = new AbortController();
  const pending = sendRequest(port, { ...options, signal: leaving.signal });
  const end = pending.then(
    ({ status }) => `answered ${status}`,
    (error: Error) => error.name,
  );
  return {
    async go() {
      leaving.abort();
      expect(await end).toBe('AbortError');
    },
  };
}

const key = (name: string): string => `${system.env['QUEUE_PREFIX']}:invocations:${name}`;
const jobs = async () => ({
  waiting: await system.redis.llen(key('wait')),
  active: await system.redis.llen(key('active')),
  failed: await system.redis.zcard(key('failed')),
});
const NONE = { waiting: 0, active: 0, failed: 0 };

async function noJobs(): Promise<void> {
  await waitFor('no job', async () => {
    const { waiting, active } = await jobs();
    return waiting + active === 0;
  });
  expect(await jobs()).toEqual(NONE);
}

function busy(runner: Child): boolean {
  const [, sandbox] = processTree(runner.pid);
  return (sandbox?.cpu ?? 0) > 60;
}

const ran = (): number =>
  system.runners.flatMap(({ records }) => records.filter(({ msg }) => msg === 'console')).length;

test('the client of an endless script goes: its sandbox is free at once, and the job leaves nothing', async () => {
  await start();
  const endless = client({ hostname: 'loop.example', method: 'POST', body: 'x' });
  await waitFor('a busy sandbox', () => busy(system.runners[0] as Child));
  const next = system.request({ hostname: 'a.example' });
  await endless.go();
  expect((await next).text).toBe('ok');
  await noJobs();
});

test('a job that waits in the queue is taken out of it, and never runs', async () => {
  await start({ runners: 0 });
  const waiting = client({ hostname: 'a.example' });
  await waitFor('the job', async () => (await jobs()).waiting === 1);
  await waiting.go();
  await noJobs();
  await system.addRunner();
  expect((await system.request({ hostname: 'a.example' })).text).toBe('ok');
  await waitFor('its console', () => ran() === 1);
});

test('a job that waits in a runner for a sandbox never runs', async () => {
  await start();
  const endless = client({ hostname: 'loop.example' });
  await waitFor('a busy sandbox', () => busy(system.runners[0] as Child));
  // As many as a tenant may have in the queue beside another.
  const waiting = client({ hostname: 'a.example' });
  await waitFor('both in hand', async () => (await jobs()).active === 2);
  await waiting.go();
  await waitFor('its end', async () => (await jobs()).active === 1);
  await endless.go();
  expect((await system.request({ hostname: 'a.example' })).text).toBe('ok');
  await waitFor('its console', () => ran() === 1);
  await noJobs();
});

test('a blueprint that is being fetched for nobody is broken off', async () => {
  await start({ env: { BLUEPRINT_TARGET: blueprints.target } });
  blueprints.hold();
  const one = client({ hostname: 'a.example', path: '/one' });
  await waitFor('the question', () => blueprints.asked.length === 1);
  await one.go();
  await waitFor('its end', () => blueprints.brokenOff.length === 1);
  await noJobs();
  expect(ran()).toBe(0);
});

test('the runner that was told dies: the next one is told too, and does not run it', async () => {
  await start({ env: { BLUEPRINT_TARGET: blueprints.target } });
  const release = blueprints.hold();
  const one = client({ hostname: 'a.example' });
  await waitFor('the question', () => blueprints.asked.length === 1);
  const [frozen] = system.runners;
  frozen?.signal('SIGSTOP');
  await one.go();
  const mark = async () => (await system.redis.keys(`${system.env['QUEUE_PREFIX']}:abandoned:*`))[0];
  await waitFor('the mark', async () => (await mark()) !== undefined);
  expect(await system.redis.pttl((await mark()) as string)).toBeGreaterThan(0);
  frozen?.signal('SIGKILL');
  release();
  await system.addRunner();
  await noJobs();
  expect(blueprints.asked).toHaveLength(1);
  expect(ran()).toBe(0);
});

test('clients that come and go leave no job, no mark without an end, and every sandbox free', async () => {
  await start({ runners: 2, env: { BLUEPRINT_TARGET: blueprints.target } });
  const impatient = async (i: number): Promise<void> => {
    const one = client({ hostname: i % 2 ? 'loop.example' : 'a.example', path: `/${i}` });
    // Somewhere on its way: before the job, in the queue, with the blueprint, in a sandbox.
    await new Promise((resolve) => setTimeout(resolve, i % 40));
    await one.go().catch(() => undefined);
  };
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 20 }, (_, i) => impatient(20 * round + i)));
  await noJobs();
  const answers = await Promise.all([1, 2, 3, 4].map(() => system.request({ hostname: 'a.example' })));
  expect(answers.map(({ text }) => text)).toEqual(['ok', 'ok', 'ok', 'ok']);
});

test('clients that leave jobs behind which go on have no more of them than those that stay', async () => {
  await start({ runners: 0 });
  const keyed = (i: number): RequestOptions => ({
    hostname: 'a.example',
    method: 'POST',
    headers: [['Idempotency-Key', `"${i}"`]],
  });
  const first = Array.from({ length: 20 }, (_, i) => client(keyed(i)));
  let window = 0;
  await waitFor('a full window', async () => {
    const before = window;
    window = (await jobs()).waiting;
    return window > 0 && window === before;
  });
  expect(window).toBeLessThan(20);
  for (const one of first) await one.go();
  const second = Array.from({ length: 20 }, (_, i) => sendRequest(system.port, keyed(20 + i)));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await jobs()).waiting).toBe(window);
  await system.addRunner();
  expect(new Set((await Promise.all(second)).map(({ text }) => text))).toEqual(new Set(['ok']));
});

test('nothing is sent for requests that end normally', async () => {
  await start();
  const told: string[] = [];
  const subscriber = system.redis.duplicate();
  subscriber.on('message', (_channel, id) => told.push(id));
  await subscriber.subscribe(`${system.env['QUEUE_PREFIX']}:abandoned`);
  for (let i = 0; i < 50; i++) await system.request({ hostname: i % 2 ? 'a.example' : 'missing.example' });
  const one = client({ hostname: 'loop.example' });
  await waitFor('a busy sandbox', () => busy(system.runners[0] as Child));
  await one.go();
  await waitFor('a message', () => told.length > 0);
  subscriber.disconnect();
  expect(told).toHaveLength(1);
});

test('a gateway is killed: its jobs end quietly, and nothing of theirs reaches another client', async () => {
  await start({ env: { BLUEPRINT_TARGET: blueprints.target, RUNNER_SANDBOXES: '2' } });
  await system.deploy('echo.example', 'setBody(readRequestUrl())');
  const doomed = await system.addGateway();
  const release = blueprints.hold();
  const lost = Array.from({ length: 10 }, (_, i) =>
    sendRequest(doomed.port, { hostname: 'echo.example', path: `/lost/${i}` }).catch(() => 'lost'),
  );
  await waitFor('their questions', () => blueprints.asked.length === 10);
  doomed.child.signal('SIGKILL');
  expect(new Set(await Promise.all(lost))).toEqual(new Set(['lost']));
  const others = Array.from({ length: 20 }, (_, i) =>
    system.request({ hostname: 'echo.example', path: `/kept/${i}` }),
  );
  release();
  expect((await Promise.all(others)).map(({ text }) => text)).toEqual(
    Array.from({ length: 20 }, (_, i) => `/kept/${i}`),
  );
  await noJobs();
  // What was said to the dead goes by itself.
  for (const stream of await system.redis.keys(`${system.env['QUEUE_PREFIX']}:replies:*`))
    expect(await system.redis.pttl(stream)).toBeGreaterThan(0);
});
