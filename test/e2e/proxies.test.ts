import { expect, test } from 'vitest';
import { startSystem } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const TELL = `
  const names = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'X-Real-Ip'];
  setBody(JSON.stringify(names.map((name) => readRequestHeader(name) ?? null)));
`;
const CLAIMS = [
  ['X-Forwarded-For', '1.1.1.1, 203.0.113.9'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'elsewhere.example'],
  ['Forwarded', 'for=192.0.2.60;proto=https'],
  ['X-Real-IP', '1.1.1.1'],
] as const;

test.each([
  ['nobody was asked to vouch: as it came', {}, CLAIMS.map(([, value]) => value)],
  ['nobody is trusted', { TRUSTED_PROXIES: 'none' }, ['127.0.0.1', 'http', null, null, null]],
  ['others are trusted', { TRUSTED_PROXIES: '10.0.0.0/8' }, ['127.0.0.1', 'http', null, null, null]],
  ['the proxy is trusted', { TRUSTED_PROXIES: '127.0.0.1' }, ['203.0.113.9', 'https', null, null, null]],
  [
    'it speaks as RFC 7239 has it',
    { TRUSTED_PROXIES: '127.0.0.1', PROXY_HEADER: 'Forwarded' },
    ['192.0.2.60', 'https', null, null, null],
  ],
])('what a script sees of its client: %s', async (_title, env, expected) => {
  await using system = await startSystem({ env });
  await system.deploy('a.example', TELL);
  const answer = await system.request({ hostname: 'a.example', headers: CLAIMS });
  expect(answer.json()).toEqual(expected);
});

test('behind a trusted proxy the requests of each client are bounded, not the proxy’s connections', async () => {
  await using system = await startSystem({
    env: { TRUSTED_PROXIES: '127.0.0.1', MAX_CONNECTIONS_PER_ADDRESS: '2', SCRIPT_TIMEOUT_MS: '3000' },
  });
  await system.deploy('slow.example', 'for(;;){}');
  await system.deploy('a.example', 'setBody("ok")');
  const ask = (hostname: string, client: string) =>
    system.request({ hostname, headers: [['X-Forwarded-For', client]] });
  const slow = [1, 2].map(() => ask('slow.example', '203.0.113.1'));
  await waitFor('both', async () => (await ask('none.example', '203.0.113.1')).status === 429);
  const refused = await ask('a.example', '203.0.113.1');
  expect(refused.json()).toMatchObject({ code: 'too_many_connections', status: 429 });
  const others = await Promise.all([2, 3, 4, 5].map((n) => ask('none.example', `203.0.113.${n}`)));
  expect(others.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([504, 504]);
  expect((await ask('a.example', '203.0.113.1')).text).toBe('ok');
});
