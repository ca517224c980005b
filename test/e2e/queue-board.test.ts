import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_TOKEN } from '../helpers/admin.ts';
import { sendRequest, type Answer } from '../helpers/http.ts';
import { startSystem, type System } from '../helpers/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({
    runners: 0,
    env: { ADMIN_TOKEN, TRUSTED_PROXIES: '127.0.0.0/8', REQUEST_DEADLINE_MS: '5000' },
  });
});
afterAll(() => system[Symbol.asyncDispose]());

let addresses = 1;

function ask(path: string, authorization?: string, method = 'GET', address?: string): Promise<Answer> {
  const headers = [
    ['X-Forwarded-For', address ?? `192.0.2.${addresses++}`],
    ...(authorization === undefined ? [] : [['Authorization', authorization] as const]),
  ] as const;
  return sendRequest(system.adminPort, { hostname: 'admin', method, path, headers });
}

function basic(password: string, user = 'anybody'): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

const PATHS = [
  '/queues',
  '/queues/',
  '/queues/api/queues',
  '/queues/queue/none',
  '/queues/static/favicon.ico',
];

test('it is behind the token, which a browser can send as a password', async () => {
  for (const path of PATHS) {
    for (const wrong of [
      undefined,
      'Basic',
      'Basic !',
      basic(''),
      basic('wrong'),
      basic(`${ADMIN_TOKEN}x`),
    ]) {
      const answer = await ask(path, wrong);
      expect([path, wrong, answer.status]).toEqual([path, wrong, 401]);
      expect(answer.header('www-authenticate')).toMatch(/^Basic realm=/);
    }
    for (const right of [basic(ADMIN_TOKEN), basic(ADMIN_TOKEN, ''), `Bearer ${ADMIN_TOKEN}`])
      expect([path, (await ask(path, right)).status]).toEqual([path, 200]);
  }
});

test('the password opens nothing else', async () => {
  for (const path of ['/metrics', '/invocations', '/queuesx', '/queues/../metrics', '/queues%2f']) {
    const answer = await ask(path, basic(ADMIN_TOKEN));
    expect([path, [401, 404].includes(answer.status)]).toEqual([path, true]);
  }
  expect((await ask('/metrics', basic(ADMIN_TOKEN))).header('www-authenticate')).toMatch(/^Bearer/);
});

test('wrong passwords are counted with wrong tokens', async () => {
  const address = '198.51.100.1';
  for (let i = 0; i < 5; i++)
    for (const [path, wrong] of [
      ['/queues', basic(`wrong-${i}`)],
      ['/metrics', `Bearer wrong-${i}`],
    ] as const)
      expect((await ask(path, wrong, 'GET', address)).status).toBe(401);
  expect((await ask('/queues', basic('wrong-11'), 'GET', address)).status).toBe(429);
  expect((await ask('/queues', basic(ADMIN_TOKEN), 'GET', address)).status).toBe(429);
});

test('both queues are shown, with the jobs that wait', async () => {
  const waiting = system.request({ hostname: 'a.example', path: '/which-waits' });
  const right = basic(ADMIN_TOKEN);
  await expect
    .poll(async () => (await ask('/queues/api/queues?jobsPerPage=10', right)).json(), { timeout: 10_000 })
    .toMatchObject({
      queues: [
        { name: expect.any(String), readOnlyMode: true, counts: { waiting: 1 } },
        { name: expect.any(String), readOnlyMode: true, counts: { waiting: 0 } },
      ],
    });
  const shown = await ask('/queues/api/queues?activeQueue=invocations&status=waiting&jobsPerPage=10', right);
  const { queues } = shown.json() as { queues: { jobs: { id: string }[] }[] };
  const id = queues[0]?.jobs[0]?.id;
  const job = await ask(`/queues/api/queues/invocations/${id}`, right);
  expect([job.status, job.text.includes('/which-waits')]).toEqual([200, true]);
  expect((await ask('/queues/api/redis/stats', right)).status).toBe(200);
  const page = await ask('/queues/', right);
  expect(page.header('content-type')).toBe('text/html; charset=utf-8');
  expect(page.header('content-security-policy')).toContain("script-src 'self'");
  const [, script] = /src="(static\/js\/main[^"]+)"/.exec(page.body.toString()) ?? [];
  expect((await ask(`/queues/${script}`, right)).header('content-type')).toMatch(/javascript/);
  expect((await waiting).json()).toMatchObject({ code: 'deadline_exceeded' });
});

test('nothing can be changed', async () => {
  for (const [method, path] of [
    ['PUT', '/queues/api/queues/pause'],
    ['PUT', '/queues/api/queues/x/obliterate'],
    ['POST', '/queues/api/queues/x/add'],
  ] as const)
    expect([404, 405]).toContain((await ask(path, basic(ADMIN_TOKEN), method)).status);
});
