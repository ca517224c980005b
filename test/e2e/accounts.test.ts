import { afterEach, expect, test } from 'vitest';
import { sendRequest } from '../helpers/http.ts';
import { endingsOf, readMetrics } from '../helpers/metrics.ts';
import { startSystem, type System, type SystemOptions } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const TOKEN = 'a-token-for-this-test';

let system: System;
afterEach(() => system[Symbol.asyncDispose]());

async function start({ env = {}, ...options }: SystemOptions = {}): Promise<void> {
  system = await startSystem({ ...options, env: { ADMIN_TOKEN: TOKEN, ...env } });
}

const metrics = () => readMetrics(system.adminPort, TOKEN);
const SCRIPT = `
  const path = readRequestUrl();
  if (path === '/throw') null.x;
  if (path === '/loop') for (;;);
  if (path === '/status') setStatus(99);
  setBody('ok');`;

test('each way to end is counted once, with its code, and what was refused is not accepted', async () => {
  await start({ env: { SCRIPT_TIMEOUT_MS: '300', MAX_REQUEST_BYTES: '100' } });
  await system.deploy('a.example', SCRIPT);
  for (const path of ['/', '/', '/throw', '/loop', '/status'])
    await system.request({ hostname: 'a.example', path });
  await system.request({ hostname: 'missing.example' });
  await system.request({ hostname: '', path: '/' });
  await system.request({ hostname: 'a.example', method: 'POST', body: 'x'.repeat(101) });
  const figures = await metrics();
  expect(endingsOf(figures)).toEqual({
    ok: 2,
    script_error: 1,
    script_timeout: 1,
    invalid_response: 1,
    script_not_found: 1,
  });
  expect(figures.get('lc500_invocations_accepted_total')).toBe(6);
  expect(figures.get('lc500_invocations_in_flight')).toBe(0);
  expect(figures.get('lc500_invocations_second_endings_total')).toBe(0);
  expect(figures.get('lc500_replies_total{result="delivered"}')).toBe(6);
});

test('what waits is in flight; then it is expired, or abandoned', async () => {
  await start({ runners: 0, env: { REQUEST_DEADLINE_MS: '1500', SCRIPT_TIMEOUT_MS: '1000' } });
  const leaving = new AbortController();
  const requests = [
    system.request({ hostname: 'a.example' }),
    system.request({ hostname: 'a.example' }),
    system.request({ hostname: 'a.example', signal: leaving.signal }).catch(() => 'left'),
  ];
  await waitFor('all', async () => (await metrics()).get('lc500_invocations_in_flight') === 3);
  leaving.abort();
  await Promise.all(requests);
  await waitFor('all ends', async () => (await metrics()).get('lc500_invocations_in_flight') === 0);
  const figures = await metrics();
  expect(endingsOf(figures)).toEqual({ deadline_exceeded: 2, client_gone: 1 });
  expect(figures.get('lc500_replies_awaited')).toBe(0);
});

test('accepted = ended + in flight whenever it is looked at, and a late reply is counted as unclaimed', async () => {
  await start();
  await system.deploy('a.example', SCRIPT);
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent++ < 400) {
      const path = sent % 7 === 0 ? '/throw' : '/';
      const signal = sent % 11 === 0 ? { signal: AbortSignal.timeout(3) } : {};
      await sendRequest(system.port, { hostname: 'a.example', path, ...signal }).catch(() => undefined);
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  for (let looks = 0; looks < 60; looks++) {
    const figures = await metrics();
    const ended = Object.values(endingsOf(figures)).reduce((sum, count) => sum + count, 0);
    const inFlight = figures.get('lc500_invocations_in_flight') ?? NaN;
    expect(ended + inFlight).toBe(figures.get('lc500_invocations_accepted_total'));
  }
  await clients;
  const [stream] = await system.redis.keys(`${system.env['QUEUE_PREFIX']}:replies:*`);
  const head = { v: 1, kind: 'failure', id: 'nobody', code: 'script_error', timings: NOTHING };
  const before = (await metrics()).get(UNCLAIMED) ?? NaN;
  await system.redis.xadd(stream as string, '*', 'h', JSON.stringify(head), 'b', '');
  await waitFor('the count', async () => (await metrics()).get(UNCLAIMED) === before + 1);
});

const UNCLAIMED = 'lc500_replies_total{result="unclaimed"}';
const NOTHING = { prepare: 0, isolate: 0, script: 0, total: 0 };
