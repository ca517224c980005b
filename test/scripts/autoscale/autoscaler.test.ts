import { expect, test } from 'vitest';
import { Redis } from 'ioredis';
import { ExpiringLock } from '../../../scripts/autoscale/lock.ts';
import { readRunners, readSignals } from '../../../shared/signals.ts';
import { startChild, type Child } from '../../helpers/child.ts';
import { HEROKU_TOKEN, startFakeHeroku } from '../../helpers/heroku.ts';
import { sendRequest } from '../../helpers/http.ts';
import { startRedisProxy } from '../../helpers/redis-proxy.ts';
import { isAlive } from '../../helpers/process-tree.ts';
import { startSystem, type System } from '../../helpers/system.ts';
import { waitFor } from '../../helpers/wait.ts';

const TOKEN = 'a-token-for-this-test';
const QUICK = {
  ADMIN_TOKEN: TOKEN,
  AUTOSCALE_INTERVAL_MS: '200',
  AUTOSCALE_QUIET_MS: '1000',
  AUTOSCALE_IDLE_MS: '1500',
};
const SLOW = 'const end = Date.now() + 30; while (Date.now() < end); setBody(readRequestUrl())';

/** Autoscalers of a system, and what they started, which outlives them. */
function autoscalers(system: System) {
  const started: Child[] = [];
  const prefix = system.env['QUEUE_PREFIX'] as string;
  return {
    start(env: Record<string, string> = {}): Child {
      const child = startChild('scripts/autoscaler.ts', { ...system.env, ...env });
      started.push(child);
      return child;
    },
    runners: () => readRunners(system.redis, prefix),
    async [Symbol.asyncDispose]() {
      const pids = new Set<number>();
      for (const { pid } of await readRunners(system.redis, prefix)) pids.add(pid);
      for (const child of started) {
        child.signal('SIGTERM');
        await ended(child);
        for (const record of child.records)
          if (record.msg === 'started a runner') pids.add(Number(record['runner']));
      }
      const own = new Set(system.runners.map(({ pid }) => pid));
      for (const pid of pids) if (!own.has(pid) && isAlive(pid)) process.kill(pid, 'SIGTERM');
      await waitFor('the end of all runners', () => [...pids].every((pid) => own.has(pid) || !isAlive(pid)));
    },
  };
}

/** Its output, which its runners share, may stay open for longer than it lives. */
async function ended(child: Child): Promise<void> {
  await waitFor(`the end of ${child.pid}`, () => !isAlive(child.pid));
}

function admin(system: System, path: string) {
  const headers = [['Authorization', `Bearer ${TOKEN}`]] as const;
  return sendRequest(system.adminPort, { hostname: 'admin', path, headers });
}

async function metric(system: System, name: string): Promise<number | undefined> {
  const { text } = await admin(system, '/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test('signals: what came, waits and runs is told, as metrics and as JSON, behind the token', async () => {
  await using system = await startSystem({
    runners: 0,
    env: { ADMIN_TOKEN: TOKEN, REQUEST_DEADLINE_MS: '20000' },
  });
  await system.deploy('work.example', SLOW);
  const pending = Array.from({ length: 5 }, (_, i) =>
    system.request({ hostname: 'work.example', path: `/${i}` }),
  );
  const read = () => readSignals(system.redis, system.env['QUEUE_PREFIX'] as string);
  await waitFor('five jobs', async () => (await read()).waiting === 5);
  expect(await read()).toMatchObject({
    arrived: 5,
    active: 0,
    runners: 0,
    sandboxes: 0,
    serviceMs: undefined,
  });
  await waitFor('their age', async () => (await read()).oldestWaitMs > 100);
  await system.addRunner();
  for (const answer of await Promise.all(pending)) expect(answer.status).toBe(200);
  await waitFor('the service time', async () => ((await read()).serviceMs ?? 0) >= 30);
  expect(await read()).toMatchObject({
    arrived: 5,
    waiting: 0,
    oldestWaitMs: 0,
    runners: 1,
    sandboxes: 2,
    busy: 0,
  });

  expect(await metric(system, 'lc500_queue_arrivals_total')).toBe(5);
  expect(await metric(system, 'lc500_sandboxes')).toBe(2);
  expect(await metric(system, 'lc500_service_time_seconds')).toBeGreaterThanOrEqual(0.03);
  expect(await metric(system, 'lc500_autoscaler_state{state="absent"}')).toBe(1);
  expect(await metric(system, 'lc500_autoscaler_wanted_runners')).toBeUndefined();
  expect((await admin(system, '/autoscale')).json()).toMatchObject({
    signals: { arrived: 5 },
    autoscaler: { state: 'absent' },
  });
  for (const path of ['/metrics', '/autoscale'])
    expect((await sendRequest(system.adminPort, { hostname: 'admin', path })).status).toBe(401);
});

test('none: what is wanted is published where KEDA reads it', async () => {
  await using system = await startSystem({ env: { ...QUICK, MIN_RUNNERS: '3' } });
  await using scalers = autoscalers(system);
  scalers.start();
  const wanted = async () => ((await admin(system, '/autoscale')).json() as { wanted?: number }).wanted;
  await waitFor('the decision', async () => (await wanted()) === 3);
  expect(await metric(system, 'lc500_autoscaler_wanted_runners')).toBe(3);
  expect(await metric(system, 'lc500_autoscaler_state{state="deciding"}')).toBe(1);
});

test('local: more under load, fewer after it, and no request fails', async () => {
  await using system = await startSystem({
    runners: 0,
    env: {
      ...QUICK,
      AUTOSCALE_ADAPTER: 'local',
      RUNNER_SANDBOXES: '1',
      MAX_RUNNERS: '2',
      TARGET_WAIT_MS: '300',
    },
  });
  await using scalers = autoscalers(system);
  await system.deploy('work.example', SLOW);
  scalers.start();
  await waitFor('the first runner', async () => (await scalers.runners()).length === 1);
  const statuses: number[] = [];
  const over = new AbortController();
  const clients = Array.from({ length: 24 }, async () => {
    while (!over.signal.aborted) statuses.push((await system.request({ hostname: 'work.example' })).status);
  });
  await waitFor('a second runner', async () => (await scalers.runners()).length === 2);
  over.abort();
  await Promise.all(clients);
  await waitFor('one again', async () => (await scalers.runners()).length === 1, { timeoutMs: 40_000 });
  expect(new Set(statuses)).toEqual(new Set([200]));
}, 90_000);

test('to zero and from zero: a request waits for the first runner', async () => {
  await using system = await startSystem({
    runners: 0,
    env: { ...QUICK, AUTOSCALE_ADAPTER: 'local', MIN_RUNNERS: '0' },
  });
  await using scalers = autoscalers(system);
  await system.deploy('hello.example', 'setBody("hello")');
  const ready = async () =>
    (await sendRequest(system.adminPort, { hostname: 'admin', path: '/readyz' })).status;
  expect(await ready()).toBe(503);
  scalers.start();
  await waitFor('readiness without a runner', async () => (await ready()) === 200);
  expect(await scalers.runners()).toEqual([]);
  expect((await system.request({ hostname: 'hello.example' })).text).toBe('hello');
  await waitFor('none again', async () => (await scalers.runners()).length === 0, { timeoutMs: 40_000 });
  expect((await system.request({ hostname: 'hello.example' })).text).toBe('hello');
}, 90_000);

test('of two autoscalers one acts; killed, it leaves the runners, and the other finds them', async () => {
  await using system = await startSystem({
    runners: 0,
    env: { ...QUICK, AUTOSCALE_ADAPTER: 'local', MIN_RUNNERS: '2', MAX_RUNNERS: '2', RUNNER_SANDBOXES: '1' },
  });
  await using scalers = autoscalers(system);
  const acting = scalers.start();
  await acting.logged('scaling runners');
  const standby = scalers.start();
  await standby.logged('standby: another autoscaler acts');
  await waitFor('two runners', async () => (await scalers.runners()).length === 2);
  const pids = async () => new Set((await scalers.runners()).map(({ pid }) => pid));
  const before = await pids();
  acting.signal('SIGKILL');
  await ended(acting);
  await standby.logged('deciding');
  await waitFor('its decision', async () => (await metric(system, 'lc500_autoscaler_wanted_runners')) === 2);
  standby.signal('SIGKILL');
  await ended(standby);
  await waitFor(
    'absence',
    async () => (await metric(system, 'lc500_autoscaler_state{state="absent"}')) === 1,
  );
  expect(await pids()).toEqual(before);
}, 60_000);

test('the adapter fails: the number stays, and log and metrics say so', async () => {
  await using heroku = await startFakeHeroku();
  heroku.quantity = 4;
  await using system = await startSystem({
    env: {
      ...QUICK,
      AUTOSCALE_ADAPTER: 'heroku',
      HEROKU_APP: 'my-app',
      HEROKU_API_TOKEN: 'wrong',
      HEROKU_API_URL: heroku.url,
    },
  });
  await using scalers = autoscalers(system);
  const failing = scalers.start();
  await failing.logged('failing: the adapter heroku does not act');
  await waitFor(
    'the metric',
    async () => (await metric(system, 'lc500_autoscaler_state{state="failing"}')) === 1,
  );
  expect((await admin(system, '/autoscale')).json()).toMatchObject({
    autoscaler: {
      state: 'failing',
      reason: 'Heroku answers 401 unauthorized: Invalid credentials provided.',
    },
  });
  failing.signal();
  await ended(failing);
  expect(heroku.quantity).toBe(4);
  scalers.start({ HEROKU_API_TOKEN: HEROKU_TOKEN });
  await waitFor('the quiet time', () => heroku.quantity === 1);
  expect(heroku.requests.filter((request) => request.startsWith('PATCH'))).toHaveLength(3);
});

test('Redis away: the number stays, log and metrics say so, and afterwards it goes on', async () => {
  await using system = await startSystem({
    runners: 0,
    env: { ...QUICK, AUTOSCALE_ADAPTER: 'local', MIN_RUNNERS: '2', MAX_RUNNERS: '2', RUNNER_SANDBOXES: '1' },
  });
  await using proxy = await startRedisProxy(system.env['REDIS_URL'] as string);
  await using scalers = autoscalers(system);
  const scaler = scalers.start({ REDIS_URL: proxy.url });
  await waitFor('two runners', async () => (await scalers.runners()).length === 2);
  const pids = scaler.records.flatMap((record) =>
    record['runner'] === undefined ? [] : [Number(record['runner'])],
  );
  proxy.cut();
  await scaler.logged('hold: Redis does not answer');
  await waitFor(
    'absence',
    async () => (await metric(system, 'lc500_autoscaler_state{state="absent"}')) === 1,
  );
  expect(pids.every((pid) => isAlive(pid))).toBe(true);
  proxy.mend();
  await waitFor(
    'its return',
    async () => (await metric(system, 'lc500_autoscaler_state{state="deciding"}')) === 1,
  );
  expect(scaler.records.filter(({ msg }) => msg === 'started a runner')).toHaveLength(2);
}, 60_000);

test('Redis away from all: the metrics say just that, and no runner goes or comes', async () => {
  await using direct = await startSystem({ runners: 0 });
  await using proxy = await startRedisProxy(direct.env['REDIS_URL'] as string);
  await using system = await startSystem({ env: { ...QUICK, REDIS_URL: proxy.url } });
  await using scalers = autoscalers(system);
  const scaler = scalers.start();
  await waitFor('its decision', async () => (await metric(system, 'lc500_autoscaler_wanted_runners')) === 1);
  expect(await metric(system, 'lc500_redis_up')).toBe(1);
  proxy.cut();
  await scaler.logged('hold: Redis does not answer');
  await waitFor('the metric', async () => (await metric(system, 'lc500_redis_up')) === 0);
  expect(await metric(system, 'lc500_runners')).toBeUndefined();
  expect((await admin(system, '/autoscale')).status).toBe(503);
  proxy.mend();
  await waitFor(
    'its return',
    async () => (await metric(system, 'lc500_autoscaler_state{state="deciding"}')) === 1,
  );
  expect(system.runners.map(({ hasEnded }) => hasEnded)).toEqual([false]);
  expect(scaler.records.filter(({ msg }) => msg === 'scaling runners')).toEqual([]);
}, 60_000);

test('the lock: one holder, until it expires, is released, or is lost', async () => {
  await using system = await startSystem({ runners: 0 });
  const redis = new Redis(system.env['REDIS_URL'] as string);
  const key = `${system.env['QUEUE_PREFIX']}:lock`;
  const [one, other] = [new ExpiringLock(redis, key, 500), new ExpiringLock(redis, key, 500)];
  expect([await one.hold(), await other.hold(), await one.hold()]).toEqual([true, false, true]);
  expect([one.left > 0, other.left]).toEqual([true, 0]);
  await waitFor('its end', () => one.left === 0);
  await waitFor('the other', () => other.hold());
  expect(await one.hold()).toBe(false);
  await one.write(`${key}:x`, 'late', 1000);
  expect(await redis.exists(`${key}:x`)).toBe(0);
  await other.write(`${key}:x`, 'mine', 1000);
  expect(await redis.get(`${key}:x`)).toBe('mine');
  await one.release();
  expect(await one.hold()).toBe(false);
  await other.release();
  expect(await one.hold()).toBe(true);
  redis.disconnect();
});
