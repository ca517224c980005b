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
