import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { flood, quantile, type Outcomes } from '../helpers/flood.ts';
import { sendRequest } from '../helpers/http.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const ENDLESS = 'for(;;){}';
const HELLO = "setBody('hello')";
const work = (ms: number): string => `const end = Date.now() + ${ms}; while (Date.now() < end);`;

const SHARED = { SPARE_SANDBOXES: '1', ADMIN_TOKEN: 'a-token-for-overload' };

/** Figures for whoever reads the test's output: how it went, not whether it passed. */
function show(name: string, { codes, latencies }: Outcomes): void {
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)].map((ms) => ms.toFixed(1));
  console.log(`${name}: ${JSON.stringify(Object.fromEntries(codes))}, p50 ${p50} ms, p99 ${p99} ms`);
}

/** A victim that asks steadily while others do what they do. */
async function besides(system: System, others: (signal: AbortSignal) => Promise<unknown>, forMs: number) {
  const over = AbortSignal.timeout(forMs);
  const [victim] = await Promise.all([
    flood(system, { hostname: 'victim.example', connections: 2, signal: over, pauseMs: 30 }),
    others(over),
  ]);
  show('victim', victim);
  return victim;
}

test.each(['1', '2'])(
  '%s sandboxes: 24 clients whose script never ends keep nobody else waiting',
  async (sandboxes) => {
    await using system = await startSystem({
      env: { ...SHARED, RUNNER_SANDBOXES: sandboxes, SCRIPT_TIMEOUT_MS: '2000' },
    });
    await system.deploy('attacker.example', ENDLESS);
    await system.deploy('victim.example', HELLO);
    const attack = async (signal: AbortSignal) =>
      show('attacker', await flood(system, { hostname: 'attacker.example', connections: 24, signal }));
    const victim = await besides(system, attack, 4500);
    expect([...victim.codes.keys()]).toEqual(['ok']);
    expect(victim.codes.get('ok')).toBeGreaterThan(20);
    expect(quantile(victim.latencies, 0.5)).toBeLessThan(500);
    expect(quantile(victim.latencies, 0.99)).toBeLessThan(1800);
  },
);

test('a flood of cheap requests gets 429 beyond its share, and harms nobody', async () => {
  await using system = await startSystem({ env: { ...SHARED, TENANT_WAIT_MS: '100' } });
  await system.deploy('flood.example', work(5));
  await system.deploy('victim.example', HELLO);
  let attacker: Outcomes | undefined;
  const victim = await besides(
    system,
    async (signal) => {
      attacker = await flood(system, { hostname: 'flood.example', connections: 150, signal });
      show('flood', attacker);
    },
    4000,
  );
  expect([...victim.codes.keys()]).toEqual(['ok']);
  expect(quantile(victim.latencies, 0.5)).toBeLessThan(300);
  const refused = attacker?.refusals ?? [];
  expect(refused.length).toBeGreaterThan(0);
  for (const { answer } of refused) {
    expect(answer.status).toBe(429);
    expect(answer.json()).toMatchObject({ code: 'tenant_overloaded' });
    expect(Number(answer.header('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  expect(attacker?.codes.get('ok')).toBeGreaterThan(10);
});

test('a lone tenant may use everything: 64 and 256 connections, nobody refused', async () => {
  await using system = await startSystem({ env: SHARED });
  await system.deploy('hello.example', HELLO);
  for (const connections of [64, 256]) {
    const signal = AbortSignal.timeout(2500);
    const outcomes = await flood(system, { hostname: 'hello.example', connections, signal });
    show(`${connections} connections`, outcomes);
    expect([...outcomes.codes.keys()]).toEqual(['ok']);
  }
});

test('what is held back, and how long it will take, is in /metrics; autoscalers see it wait', async () => {
  await using system = await startSystem({
    env: { ...SHARED, RUNNER_SANDBOXES: '1', SCRIPT_TIMEOUT_MS: '2000' },
  });
  await system.deploy('slow.example', work(500));
  expect((await system.request({ hostname: 'slow.example' })).status).toBe(200);
  const waiting = Array.from({ length: 6 }, () => system.request({ hostname: 'slow.example' }));
  const metric = async (name: string): Promise<number> => {
    const headers = [['Authorization', `Bearer ${SHARED.ADMIN_TOKEN}`]] as const;
    const { text } = await sendRequest(system.adminPort, { hostname: 'admin', path: '/metrics', headers });
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  };
  await waitFor('the held ones', async () => (await metric('lc500_requests_held')) > 0);
  expect(await metric('lc500_predicted_wait_seconds')).toBeGreaterThan(0.4);
  await waitFor('them in the queue’s signals', async () => (await metric('lc500_queue_waiting')) > 0);
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
  expect(await metric('lc500_requests_held')).toBe(0);
  expect(await metric('lc500_predicted_wait_seconds')).toBe(0);
});

test('a client that goes while its request is held leaves nothing behind', async () => {
  await using system = await startSystem({
    env: { ...SHARED, RUNNER_SANDBOXES: '1', SCRIPT_TIMEOUT_MS: '2000' },
  });
  await system.deploy('slow.example', work(300));
  expect((await system.request({ hostname: 'slow.example' })).status).toBe(200);
  const gone = new AbortController();
  const waiting = Array.from({ length: 6 }, () =>
    system.request({ hostname: 'slow.example', signal: gone.signal }).catch(() => 'gone'),
  );
  await sleep(100);
  gone.abort();
  expect(await Promise.all(waiting)).toEqual(Array(6).fill('gone'));
  expect((await system.request({ hostname: 'slow.example' })).status).toBe(200);
  const key = `${system.env['QUEUE_PREFIX']}:invocations`;
  await waitFor('an empty queue', async () => {
    const [wait, active] = await Promise.all([
      system.redis.llen(`${key}:wait`),
      system.redis.llen(`${key}:active`),
    ]);
    return wait + active === 0;
  });
});

test('who would wait past the deadline is told so at once, and when to come again', async () => {
  await using system = await startSystem({
    env: { ...SHARED, RUNNER_SANDBOXES: '1', SCRIPT_TIMEOUT_MS: '2000', REQUEST_DEADLINE_MS: '4000' },
  });
  await system.deploy('slow.example', work(500));
  // What its runs take has to be known.
  expect((await system.request({ hostname: 'slow.example' })).status).toBe(200);
  const ask = async () => {
    const started = performance.now();
    const answer = await system.request({ hostname: 'slow.example' });
    return { answer, ms: performance.now() - started };
  };
  const waiting = Array.from({ length: 5 }, ask);
  await sleep(100);
  const refused = await Promise.all(Array.from({ length: 10 }, ask));
  const overloaded = refused.filter(({ answer }) => answer.status === 503);
  expect(overloaded.length).toBeGreaterThan(0);
  for (const { answer, ms } of overloaded) {
    expect(answer.json()).toMatchObject({ code: 'overloaded' });
    // 50 ms where nobody else uses the machine.
    expect(ms).toBeLessThan(1000);
    expect(Number(answer.header('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(answer.header('retry-after'))).toBeLessThanOrEqual(6);
  }
  console.log(`refused within ${Math.max(...overloaded.map(({ ms }) => ms)).toFixed(1)} ms`);
  for (const { answer } of await Promise.all(waiting)) expect(answer.status).toBe(200);
  // As it was told.
  await sleep(1000 * Math.max(...overloaded.map(({ answer }) => Number(answer.header('retry-after')))));
  expect((await ask()).answer.status).toBe(200);
});

test('the share is time in sandboxes: many cheap requests beside few dear ones', async () => {
  await using system = await startSystem({
    env: { ...SHARED, RUNNER_SANDBOXES: '1', TENANT_WAIT_MS: '10000' },
  });
  await system.deploy('cheap.example', work(10));
  await system.deploy('dear.example', work(200));
  const signal = AbortSignal.timeout(4000);
  const [cheap, dear] = await Promise.all([
    flood(system, { hostname: 'cheap.example', connections: 8, signal }),
    flood(system, { hostname: 'dear.example', connections: 2, signal }),
  ]);
  show('cheap', cheap);
  show('dear', dear);
  const [cheapMs, dearMs] = [cheap.sandboxMs, dear.sandboxMs];
  console.log(`in sandboxes: ${cheapMs.toFixed(0)} and ${dearMs.toFixed(0)} ms`);
  expect([...cheap.codes.keys(), ...dear.codes.keys()]).toEqual(['ok', 'ok']);
  // In the order they came, the dear ones would have had five times as much; by turns, twenty times.
  expect(cheapMs).toBeGreaterThan(dearMs / 3);
  expect(dearMs).toBeGreaterThan(cheapMs / 3);
});
