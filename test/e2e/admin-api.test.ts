import type { Router } from '@koa/router';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdminApp, type Probes } from '../../gateway/admin/app.ts';
import { ADMIN_TOKEN, adminOf, type Admin } from '../helpers/admin.ts';
import { sendRequest, type Answer } from '../helpers/http.ts';
import { described, violations } from '../helpers/openapi.ts';
import { startSystem, type System } from '../helpers/system.ts';

let system: System;
let admin: Admin;
beforeAll(async () => {
  system = await startSystem({ env: { ADMIN_TOKEN, KEEP_COMPLETED: '10', TRUSTED_PROXIES: '127.0.0.0/8' } });
  admin = adminOf(system);
});
afterAll(() => system[Symbol.asyncDispose]());

test('every route is described, and every description has a route', () => {
  // Routes are only listed here; nothing of what they ask is there.
  const app = createAdminApp(
    { records: {}, scaling: {}, queues: [] } as unknown as Probes,
    ADMIN_TOKEN,
    () => '',
  );
  const routers = app.middleware.map((layer) => (layer as { router?: Router }).router);
  const routes = new Set(
    routers.flatMap((router) =>
      (router?.stack ?? []).flatMap(({ methods, path }) =>
        methods
          .filter((method) => method !== 'HEAD')
          .map(
            (method) =>
              `${method} ${String(path)
                .replaceAll(/:(\w+)/g, '{$1}')
                .replace(/(.)\/$/, '$1')}`,
          ),
      ),
    ),
  );
  expect([...routes].sort()).toEqual(described.map(({ method, path }) => `${method} ${path}`).sort());
});

let addresses = 1;

describe('without the token, or with a wrong one, it is 401', () => {
  test.each(described.filter(({ isSecret }) => isSecret))('$method $path', async ({ method, path }) => {
    for (const token of [undefined, '', 'wrong', `${ADMIN_TOKEN}x`, ADMIN_TOKEN.slice(1)]) {
      const answer = await sendRequest(system.adminPort, {
        hostname: 'admin',
        method,
        path: path.replace('{id}', 'x'),
        headers: [
          // Each from an address of its own, or there would soon be too many wrong tokens.
          ['X-Forwarded-For', `192.0.2.${addresses++}`],
          ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
        ],
      });
      expect(answer.status).toBe(401);
      expect(violations(method, path, answer)).toEqual([]);
    }
  });
});

test('all answers are as described', async () => {
  await system.deploy('a.example', 'if (readRequestUrl() === "/ok") setBody("ok"); else null.x');
  const [ok, bad] = await Promise.all(
    ['/ok', '/bad'].map(async (path) => {
      const answer = await system.request({ hostname: 'a.example', path });
      return (await admin.record(answer.header('x-request-id') as string)).id;
    }),
  );
  const replay = (await admin.send('POST', `/invocations/${bad}/replay`, {})).json() as { id: string };
  await admin.record(replay.id);
  const many = await admin.send('POST', '/replays', { filter: {}, script: 'current' });
  const run = (many.json() as { id: string }).id;
  const answers: [method: string, path: string, status: number, answer: Answer][] = [];
  const ask = async (status: number, method: string, path: string, id = '', body?: unknown) =>
    answers.push([
      method,
      path,
      status,
      await admin.send(
        method,
        path.replace('{id}', id).concat(body === undefined && path === '/invocations' ? id : ''),
        body,
      ),
    ]);
  for (const path of ['/healthz', '/readyz', '/metrics', '/autoscale', '/invocations'])
    await ask(200, 'GET', path);
  await ask(400, 'GET', '/invocations', '?state=x');
  for (const id of [ok, bad, replay.id]) {
    for (const part of ['', '/log', '/body', '/script'])
      await ask(200, 'GET', `/invocations/{id}${part}`, id);
    await ask(id === ok ? 200 : 404, 'GET', '/invocations/{id}/answer', id);
    await ask(404, 'GET', '/invocations/{id}', 'nobody');
  }
  await ask(202, 'POST', '/invocations/{id}/replay', bad, { script: 'current', blueprint: 'fresh' });
  await ask(400, 'POST', '/invocations/{id}/replay', bad, { script: 'newest' });
  await ask(404, 'POST', '/invocations/{id}/replay', 'nobody', {});
  await ask(200, 'POST', '/replays', '', { filter: { tenant: 'a.example' }, dryRun: true });
  await ask(400, 'POST', '/replays', '', {});
  await ask(200, 'GET', '/replays/{id}', run);
  await ask(404, 'GET', '/replays/{id}', 'nobody');
  await ask(204, 'DELETE', '/replays/{id}', run);
  await ask(404, 'DELETE', '/replays/{id}', 'nobody');
  await ask(204, 'DELETE', '/invocations/{id}', ok);
  await ask(404, 'DELETE', '/invocations/{id}', ok);
  expect(answers.map(([method, path, , answer]) => [method, path, answer.status])).toEqual(
    answers.map(([method, path, status]) => [method, path, status]),
  );
  expect(answers.flatMap(([method, path, , answer]) => violations(method, path, answer))).toEqual([]);
});
