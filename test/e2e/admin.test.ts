import { expect, test } from 'vitest';
import { sendRequest } from '../helpers/http.ts';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const TOKEN = 'a-token-for-this-test';

test('the probes are open, and tell whether a runner takes jobs', async () => {
  await using system = await startSystem({ runners: 0 });
  const ask = (path: string) => sendRequest(system.adminPort, { hostname: 'admin', path });
  expect((await ask('/healthz')).status).toBe(200);
  const without = await ask('/readyz');
  expect([without.status, without.json()]).toEqual([
    503,
    { status: 'not ready', missing: ['no runner takes jobs'] },
  ]);
  const runner = await system.addRunner();
  await waitFor('readiness', async () => (await ask('/readyz')).status === 200);
  runner.signal('SIGTERM');
  await runner.exit;
  await waitFor('its end', async () => (await ask('/readyz')).status === 503);
  expect((await ask('/anything')).status).toBe(404);
});

test('all else is behind the token, and nothing of it on the public port', async () => {
  await using system = await startSystem({ runners: 0, env: { ADMIN_TOKEN: TOKEN } });
  const ask = async (...values: string[]) => {
    const headers = values.map((value) => ['Authorization', value] as const);
    return (await sendRequest(system.adminPort, { hostname: 'admin', path: '/anything', headers })).status;
  };
  expect(await ask()).toBe(401);
  for (const wrong of ['Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`])
    expect(await ask(wrong)).toBe(401);
  expect(await ask(`Bearer ${TOKEN}`)).toBe(404);
  expect((await system.request({ hostname: '', path: '/healthz' })).status).toBe(400);
});

test('wrong tokens are limited for each client, and the clients behind a trusted proxy are told apart', async () => {
  await using system = await startSystem({
    runners: 0,
    env: { ADMIN_TOKEN: TOKEN, TRUSTED_PROXIES: '127.0.0.0/8' },
  });
  const ask = (address: string, token?: string, path = '/metrics') => {
    const headers = [
      ['X-Forwarded-For', address],
      ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
    ] as const;
    return sendRequest(system.adminPort, { hostname: 'admin', path, headers });
  };
  for (let i = 0; i < 20; i++) expect((await ask('192.0.2.1')).status).toBe(401);
  for (let i = 0; i < 10; i++) expect((await ask('192.0.2.1', `wrong-token-number-${i}`)).status).toBe(401);
  const limited = await ask('192.0.2.1', 'wrong-token-number-11');
  expect(limited.status).toBe(429);
  expect(Number(limited.header('retry-after'))).toBeGreaterThan(0);
  expect(Number(limited.header('retry-after'))).toBeLessThanOrEqual(6);
  // Not even the right one: else guesses would be free. The probes, and everybody else, are not affected.
  expect((await ask('192.0.2.1', TOKEN)).status).toBe(429);
  expect((await ask('192.0.2.1', undefined, '/healthz')).status).toBe(200);
  expect((await ask('192.0.2.2', TOKEN)).status).toBe(200);
});

test('nothing of it is for pages of other origins, or to be kept', async () => {
  await using system = await startSystem({ runners: 0, env: { ADMIN_TOKEN: TOKEN } });
  const origin = ['Origin', 'https://elsewhere.example'] as const;
  const token = ['Authorization', `Bearer ${TOKEN}`] as const;
  const preflight = ['Access-Control-Request-Method', 'GET'] as const;
  for (const path of ['/healthz', '/readyz', '/metrics', '/autoscale', '/none'])
    for (const method of ['GET', 'OPTIONS'])
      for (const headers of [[origin], [origin, preflight], [origin, token]]) {
        const answer = await sendRequest(system.adminPort, { hostname: 'admin', path, method, headers });
        expect(answer.headers.filter(([name]) => /^access-control-/i.test(name))).toEqual([]);
        expect(answer.header('cache-control')).toBe('no-store');
      }
});

test('the public port knows nothing of it, token or not', async () => {
  await using system = await startSystem({ env: { ADMIN_TOKEN: TOKEN } });
  for (const path of ['/healthz', '/readyz', '/metrics', '/autoscale']) {
    const headers = [['Authorization', `Bearer ${TOKEN}`]] as const;
    const answer = await system.request({ hostname: 'a.example', path, headers });
    expect(answer.json()).toMatchObject({ code: 'script_not_found' });
  }
});
