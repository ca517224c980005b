import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_TOKEN, adminOf, type Admin } from '../helpers/admin.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const KEY = '00112233445566778899aabbccddeeff'.repeat(2);
let system: System;
let admin: Admin;
beforeAll(async () => {
  system = await startSystem({
    env: { ADMIN_TOKEN, BLUEPRINT_TARGET: 's3', RECORD_KEY: KEY, REQUEST_DEADLINE_MS: '5000' },
  });
  admin = adminOf(system);
});
afterAll(() => system[Symbol.asyncDispose]());

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const redisKeys = async (): Promise<string[]> => system.redis.keys(`${system.env['QUEUE_PREFIX']}:*`);

async function fail(hostname: string, options: { body?: Buffer; headers?: [string, string][] } = {}) {
  const answer = await system.request({ hostname, method: 'POST', path: '/a?b=1', ...options });
  const id = answer.header('x-request-id') as string;
  return { answer, id, record: await admin.record(id) };
}

test('a failed invocation is kept with all that it had', async () => {
  const source = 'console.log("before");\nconsole.warn({ a: 1 });\n\nnull.x';
  await system.deploy('kept.example', source);
  await system.putObject(
    'kept.example/blueprint.json',
    '{"status":201,"headers":[["A","b"]],"body":"context"}',
  );
  const body = Buffer.from([0, 255, 128, 10]);
  const { answer, id, record } = await fail('kept.example', { body, headers: [['X-A', '1']] });
  expect(answer.text).not.toContain('null');
  expect(record).toMatchObject({
    id,
    tenant: 'kept.example',
    state: 'failed',
    code: 'script_error',
    status: 500,
    attempts: 1,
    request: { method: 'POST', url: '/a?b=1', bodyBytes: 4, bodySha256: sha256(body), redacted: [] },
    script: { key: 'kept.example/index.js', sha256: sha256(source), bytes: source.length, kept: true },
    blueprint: {
      key: 'kept.example/blueprint.json',
      status: 201,
      headers: [['A', 'b']],
      body: { data: 'context' },
    },
    limits: { scriptTimeoutMs: 1000, deadlineMs: 5000 },
    error: { name: 'TypeError', stack: expect.stringMatching(/index\.js:4:\d+/) as string },
    answer: null,
    replays: [],
  });
  expect(record.request.headers).toContainEqual(['X-A', '1']);
  expect((await admin.get(`/invocations/${id}/body`)).body).toEqual(body);
  expect((await admin.get(`/invocations/${id}/log`)).json()).toEqual([
    { level: 'log', text: 'before' },
    { level: 'warn', text: '{"a":1}' },
  ]);
  // A newer version takes nothing away from the record.
  await system.deploy('kept.example', 'setBody("mended")');
  expect((await admin.get(`/invocations/${id}/script`)).text).toBe(source);
});

test('its job is gone from the queue, and so are its headers', async () => {
  await system.deploy('job.example', 'null.x');
  const { id } = await fail('job.example', { headers: [['Authorization', 'Bearer very-secret']] });
  const queueKeys = (): Promise<string[]> => system.redis.keys(`${system.env['QUEUE_PREFIX']}:invocations:*`);
  await waitFor('the end of its job', async () => !(await queueKeys()).some((key) => key.includes(id)));
  const hashes = await Promise.all(
    (await redisKeys()).map(async (key) =>
      (await system.redis.type(key)) === 'hash' ? JSON.stringify(await system.redis.hgetall(key)) : '',
    ),
  );
  expect(hashes.join('')).toContain(id);
  expect(hashes.join('')).not.toContain('very-secret');
});

test('secret headers are not shown', async () => {
  await system.deploy('secret.example', 'null.x');
  const headers: [string, string][] = [
    ['Cookie', 'a=b'],
    ['X-A', '1'],
    ['AUTHORIZATION', 'Basic x'],
  ];
  const { id, record } = await fail('secret.example', { headers });
  expect(record.request).toMatchObject({ redacted: ['cookie', 'authorization'], sealed: true });
  expect((await admin.get(`/invocations/${id}`)).text).not.toMatch(/a=b|Basic x/);
});

test('bodies over 64 KiB lie in the bucket and come back as they were', async () => {
  await system.deploy('large.example', 'null.x');
  const body = Buffer.alloc(70_000, 'é');
  const { id, record } = await fail('large.example', { body });
  expect(record.request.bodySha256).toBe(sha256(body));
  expect((await admin.get(`/invocations/${id}/body`)).body.equals(body)).toBe(true);
  const key = (await redisKeys()).find((name) => name.endsWith(`one:${id}`)) as string;
  expect(await system.redis.hkeys(key)).not.toContain('part:request');
  expect((await admin.send('DELETE', `/invocations/${id}`)).status).toBe(204);
  expect((await admin.get(`/invocations/${id}`)).status).toBe(404);
  expect((await redisKeys()).filter((name) => name.endsWith(`one:${id}`))).toEqual([]);
});

test('lists are filtered, newest first, and come in pages', async () => {
  await system.deploy('list.example', 'if (readRequestUrl() === "/status") setStatus(1000); else null.x');
  const ids: string[] = [];
  for (const path of ['/', '/status', '/', '/status']) {
    const answer = await system.request({ hostname: 'list.example', path });
    ids.unshift(answer.header('x-request-id') as string);
  }
  await Promise.all(ids.map((id) => admin.record(id)));
  const found = async (query: string) => (await admin.list(query)).map(({ id }) => id);
  expect(await found('tenant=list.example')).toEqual(ids);
  expect(await found('tenant=list.example&code=invalid_response')).toEqual([ids[0], ids[2]]);
  expect(await found('tenant=list.example&state=answered')).toEqual([]);
  expect(await found('tenant=nobody.example')).toEqual([]);
  expect(await found(`tenant=list.example&since=${new Date(Date.now() + 1000).toISOString()}`)).toEqual([]);
  expect(await found(`tenant=list.example&until=${new Date(Date.now() + 1000).toISOString()}`)).toEqual(ids);
  const pages: string[] = [];
  let cursor = '';
  do {
    const page = (await admin.get(`/invocations?tenant=list.example&limit=3${cursor}`)).json() as {
      invocations: { id: string }[];
      next?: string;
    };
    pages.push(...page.invocations.map(({ id }) => id));
    cursor = page.next ? `&cursor=${page.next}` : '';
  } while (cursor);
  expect(pages).toEqual(ids);
  expect((await admin.get('/invocations?since=yesterday')).json()).toMatchObject({ code: 'bad_request' });
  expect((await admin.get('/invocations?cursor=x')).status).toBe(400);
  expect((await admin.get('/invocations?limit=501')).status).toBe(400);
});

test('what fails through the client is not kept, nor what is answered', async () => {
  await system.deploy('fine.example', 'setBody("fine")');
  const answers = await Promise.all(
    ['nobody.example', 'fine.example'].map((hostname) => system.request({ hostname })),
  );
  for (const answer of answers)
    expect((await admin.get(`/invocations/${answer.header('x-request-id')}`)).status).toBe(404);
});

test('what ended without a runner has its record when the next runner finds it, and but one', async () => {
  await using idle = await startSystem({ runners: 0, env: { ADMIN_TOKEN, REQUEST_DEADLINE_MS: '1000' } });
  await idle.deploy('late.example', 'setBody("never")');
  const answer = await idle.request({ hostname: 'late.example', path: '/late' });
  expect(answer.json()).toMatchObject({ code: 'deadline_exceeded' });
  const id = answer.header('x-request-id') as string;
  expect((await adminOf(idle).get(`/invocations/${id}`)).status).toBe(404);
  await idle.addRunner();
  const late = await adminOf(idle).record(id);
  expect(late).toMatchObject({ code: 'deadline_exceeded', status: 504, request: { url: '/late' } });
  expect(late.script.sha256).toBeNull();
  expect((await adminOf(idle).list()).map((record) => record.id)).toEqual([id]);
});
