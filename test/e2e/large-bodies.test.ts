import { afterEach, expect, test } from 'vitest';
import { ADMIN_TOKEN, adminOf } from '../helpers/admin.ts';
import type { Answer, RequestOptions } from '../helpers/http.ts';
import { answerAt, locationIn, sendLater } from '../helpers/later.ts';
import { startSystem, type System, type SystemOptions } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

/** Bodies that do not travel in their job (shared/job-body.ts). */
const LARGE = 'grüße '.repeat(10_000);
const SMALL = 'grüße';
const HOST = 'a.example';
const ECHO = 'setBody(readRequestBodyBytes())';

let system: System;
afterEach(() => system[Symbol.asyncDispose]());

async function start(script: string, options?: SystemOptions): Promise<void> {
  system = await startSystem(options);
  await system.deploy(HOST, script);
}

const post = (options: Partial<RequestOptions> = {}): Promise<Answer> =>
  system.request({ hostname: HOST, method: 'POST', body: LARGE, ...options });
/** What there is of jobs and their bodies in Redis. */
const jobKeys = async (): Promise<string[]> => {
  const keys = await system.redis.keys(`${system.env['QUEUE_PREFIX']}:*invocations:*`);
  return keys.filter((key) => /invocations:[\w-]{21}(?::\w+)?$/.test(key));
};
const bodyKey = async (): Promise<string> => {
  let found: string | undefined;
  await waitFor('its job, and its body', async () => {
    const keys = await jobKeys();
    found = keys.find((key) => key.endsWith(':logs'));
    return keys.length === 2 && found !== undefined;
  });
  return found as string;
};
const nothingLeft = (): Promise<void> =>
  waitFor('no job and no body', async () => (await jobKeys()).length === 0);

test.each([
  ['text', Buffer.from(LARGE)],
  ['bytes', Buffer.alloc(100_000, 0xff)],
])('large %s come to the script as they are, and leave nothing', async (_what, body) => {
  await start(ECHO);
  for (let i = 0; i < 3; i++) expect((await post({ body })).body.equals(body)).toBe(true);
  await nothingLeft();
});

test('a large body comes to a script that is run asynchronously', async () => {
  await start(ECHO);
  const location = locationIn(await sendLater(system.port, { hostname: HOST, body: LARGE }));
  let answer: Answer | undefined;
  await waitFor('its answer', async () => {
    answer = await answerAt(system.port, HOST, location);
    return answer.status === 200;
  });
  expect(answer?.text).toBe(LARGE);
  await nothingLeft();
});

test('a large body waits beside its job for as long as that does, and goes with it', async () => {
  await start(ECHO, { runners: 0 });
  const leaving = new AbortController();
  const pending = post({ signal: leaving.signal });
  pending.catch(() => undefined);
  const key = await bodyKey();
  await waitFor('the end of its time limit', async () => (await system.redis.pttl(key)) === -1);
  expect(await system.redis.lrange(key, 0, -1)).toEqual([LARGE]);
  const job = await system.redis.hget(key.replace(/:logs$/, ''), 'data');
  expect(JSON.parse(job ?? '')).toMatchObject({
    body: { encoding: 'beside', bytes: Buffer.byteLength(LARGE) },
  });
  leaving.abort();
  await nothingLeft();
});

test('a large body is there for the second run when its runner has died', async () => {
  await start('const end = Date.now() + 600; while (Date.now() < end); setBody(readRequestBodyBytes())', {
    env: { SCRIPT_TIMEOUT_MS: '5000' },
  });
  const pending = post({ method: 'PUT' });
  await waitFor('its run', async () => {
    const active = await system.redis.llen(`${system.env['QUEUE_PREFIX']}:invocations:active`);
    return active === 1;
  });
  system.runners[0]?.signal('SIGKILL');
  await system.addRunner();
  expect((await pending).text).toBe(LARGE);
  await nothingLeft();
});

test('a large body is there for the runner that takes over from one that has to end', async () => {
  await start('for (;;);', { env: { SCRIPT_TIMEOUT_MS: '20000', SHUTDOWN_GRACE_MS: '100' } });
  const pending = post({ method: 'PUT' });
  await waitFor('its run', async () => {
    const active = await system.redis.llen(`${system.env['QUEUE_PREFIX']}:invocations:active`);
    return active === 1;
  });
  await system.deploy(HOST, ECHO);
  system.runners[0]?.signal('SIGTERM');
  await system.addRunner();
  expect((await pending).text).toBe(LARGE);
  await nothingLeft();
});

test('a large body with an Idempotency-Key is run once', async () => {
  await start(`setHeader('X-Run', String(Math.random())); ${ECHO}`);
  const headers = [['Idempotency-Key', '"a"']] as const;
  const [first, second] = [await post({ headers }), await post({ headers })];
  expect(second.text).toBe(LARGE);
  expect(second.header('x-run')).toBe(first.header('x-run'));
  expect(second.header('idempotency-replayed')).toBe('true');
});

test('a request that no runner came for in time is recorded with its large body', async () => {
  await start(ECHO, { runners: 0, env: { ADMIN_TOKEN, REQUEST_DEADLINE_MS: '1500' } });
  const admin = adminOf(system);
  const { status, ...answer } = await post({ method: 'PUT' });
  expect(status).toBe(504);
  await system.addRunner();
  const id = answer.header('x-request-id') as string;
  const record = await admin.record(id);
  expect(record).toMatchObject({
    code: 'deadline_exceeded',
    request: { bodyBytes: Buffer.byteLength(LARGE) },
  });
  expect((await admin.get(`/invocations/${id}/body`)).text).toBe(LARGE);
  await nothingLeft();
});

test('a job whose body is gone is queue_unavailable, said to the operator', async () => {
  await start(ECHO, { runners: 0 });
  const pending = post();
  await system.redis.del(await bodyKey());
  const runner = await system.addRunner();
  expect((await pending).json()).toMatchObject({ code: 'queue_unavailable' });
  const { reason } = await runner.logged('invocation failed');
  expect(reason).toContain('is not in Redis: there is none');
});

test.each([
  ['large', LARGE],
  ['small', SMALL],
])('a %s body that the gateway lets in and the runner does not is request_too_large', async (_what, body) => {
  await start(ECHO, { runners: 0 });
  const runner = await system.addRunner({ MAX_REQUEST_BYTES: '5' });
  const answer = await post({ body });
  expect([answer.status, answer.json()]).toMatchObject([413, { code: 'request_too_large' }]);
  const { reason } = await runner.logged('invocation failed');
  expect(reason).toBe(
    `a body of ${Buffer.byteLength(body)} bytes, and MAX_REQUEST_BYTES is 5 here: it has to be the same for gateways and runners`,
  );
  await nothingLeft();
});
