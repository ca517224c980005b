import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBlueprintServer, type BlueprintServer } from '../helpers/blueprint-server.ts';
import type { Answer, RequestOptions } from '../helpers/http.ts';
import { answerAt, locationIn, sendLater, stateAt, type State } from '../helpers/later.ts';
import { endingsOf, readMetrics } from '../helpers/metrics.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const TOKEN = 'a-token-for-this-test';
const HOST = 'a.example';
const UNGUESSABLE = /^\/\.well-known\/lc500\/invocations\/[\w-]{22}$/;
const SCRIPT = `
  if (readRequestUrl() === '/slow') { const end = Date.now() + 600; while (Date.now() < end); }
  if (readRequestUrl() === '/throw') throw new Error('secret');
  setStatus(201);
  addHeader('Set-Cookie', 'a=1');
  addHeader('Set-Cookie', 'b=2');
  setHeader('X-Blueprint', readResponseBody());
  setBody(readRequestBodyBytes());`;

let blueprints: BlueprintServer;
let system: System;
beforeAll(async () => {
  blueprints = await startBlueprintServer();
  system = await startSystem({
    env: {
      BLUEPRINT_TARGET: blueprints.target,
      UPSTREAM_TIMEOUT_MS: '20000',
      SCRIPT_TIMEOUT_MS: '300',
      ASYNC_TIMEOUT_MS: '10000',
      ADMIN_TOKEN: TOKEN,
      LOG_LEVEL: 'debug',
    },
  });
  await system.deploy(HOST, SCRIPT);
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await blueprints[Symbol.asyncDispose]();
});

const later = (options: Partial<RequestOptions> = {}, prefer?: string): Promise<Answer> =>
  sendLater(system.port, { hostname: HOST, ...options }, prefer);
const ask = (path: string, options: Partial<RequestOptions> = {}): Promise<Answer> =>
  system.request({ hostname: HOST, path, ...options });
const answer = (path: string): Promise<Answer> => answerAt(system.port, HOST, path);
const state = (path: string): Promise<State> => stateAt(system.port, HOST, path);

test('202 at once, with a location that tells the state and then gives the answer', async () => {
  const release = blueprints.hold();
  const accepted = await later({ method: 'POST', body: Buffer.from([0xff, 0, 0x80]) });
  expect(accepted.status).toBe(202);
  expect(accepted.header('Preference-Applied')).toBe('respond-async');
  expect(accepted.header('Cache-Control')).toBe('no-store');
  expect(accepted.header('Retry-After')).toBe('1');
  const location = locationIn(accepted);
  expect(location).toMatch(UNGUESSABLE);
  expect(accepted.json()).toEqual({ state: 'waiting', self: location, answer: `${location}/answer` });

  await waitFor('the run', async () => (await state(location)).state === 'running');
  const pending = await ask(location);
  expect(pending.header('Content-Type')).toBe('application/json');
  expect(pending.header('Cache-Control')).toBe('no-store');
  expect(pending.header('Retry-After')).toBe('1');
  const early = await ask(`${location}/answer`);
  expect(early.status).toBe(409);
  expect(early.json()).toMatchObject({ code: 'invocation_pending' });
  expect(early.header('Retry-After')).toBe('1');

  release();
  const done = await answer(location);
  expect(done.status).toBe(201);
  expect(done.body).toEqual(Buffer.from([0xff, 0, 0x80]));
  expect(done.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)).toEqual([
    'a=1',
    'b=2',
  ]);
  expect(done.header('X-Request-Id')).toBe(accepted.header('X-Request-Id'));
  expect(await state(location)).toMatchObject({ state: 'done', status: 201 });
  expect((await ask(location)).header('Retry-After')).toBeUndefined();
  const head = await ask(`${location}/answer`, { method: 'HEAD' });
  expect([head.status, head.header('Content-Length'), head.body.length]).toEqual([201, '3', 0]);
});

test('wait=5 is answered itself when that takes less', async () => {
  const answered = await later({ method: 'POST', body: 'x' }, 'respond-async, wait=5');
  expect([answered.status, answered.text]).toEqual([201, 'x']);
  expect(answered.header('Preference-Applied')).toBe('wait=5');
  expect(answered.header('Location')).toBeUndefined();
});

test('wait=1 is accepted when it takes longer, and runs once', async () => {
  const before = blueprints.asked.length;
  const release = blueprints.hold();
  const accepted = await later({ path: '/once' }, 'respond-async, wait=1');
  expect(accepted.status).toBe(202);
  expect(accepted.header('Preference-Applied')).toBe('respond-async, wait=1');
  release();
  expect((await answer(locationIn(accepted))).status).toBe(201);
  expect(blueprints.asked.slice(before)).toEqual(['/once']);
});

test('an asynchronous script has ASYNC_TIMEOUT_MS', async () => {
  expect((await ask('/slow')).json()).toMatchObject({ code: 'script_timeout' });
  expect((await answer(locationIn(await later({ path: '/slow' })))).status).toBe(201);
});

test('a failure is the problem that the request itself would have got', async () => {
  const accepted = await later({ path: '/throw' });
  const failed = await answer(locationIn(accepted));
  expect(failed.status).toBe(500);
  expect(failed.header('Content-Type')).toBe('application/problem+json');
  expect(failed.json()).toMatchObject({
    code: 'script_error',
    requestId: accepted.header('X-Request-Id'),
  });
  expect(failed.text).not.toContain('secret');
  expect(await state(locationIn(accepted))).toMatchObject({
    state: 'done',
    status: 500,
    code: 'script_error',
  });
});

test('a request that is refused is not accepted', async () => {
  const refused = await later({ method: 'POST', body: Buffer.alloc(1_048_577) });
  expect(refused.json()).toMatchObject({ code: 'request_too_large' });
});

test('nothing is told at another hostname, of an id that is none, or at other paths of lc500', async () => {
  const location = locationIn(await later());
  await answer(location);
  await system.deploy('b.example', 'setBody("script")');
  const others = [
    ask(location, { hostname: 'b.example' }),
    ask(`${location}/answer`, { hostname: 'b.example' }),
    ask(location, { hostname: 'b.example', method: 'DELETE' }),
    ask(`${location.slice(0, -1)}${location.endsWith('a') ? 'b' : 'a'}`),
    ask(`${location}/other`),
    ask('/.well-known/lc500/'),
    ask(`http://${HOST}/.well-known/lc500/`),
  ];
  for (const other of await Promise.all(others))
    expect(other.json()).toMatchObject({ code: 'invocation_not_found', status: 404 });
  expect((await answer(location)).status).toBe(201);
  expect((await ask('/.well-known/other', { hostname: 'b.example' })).text).toBe('script');
});

test.each(['POST', 'PUT', 'OPTIONS'])('%s means nothing at a location', async (method) => {
  const location = locationIn(await later());
  const refused = await ask(location, { method });
  expect(refused.json()).toMatchObject({ code: 'method_not_allowed', status: 405 });
  expect(refused.header('Allow')).toBe('GET, HEAD, DELETE');
});

test('DELETE forgets the answer', async () => {
  const location = locationIn(await later());
  await answer(location);
  expect((await ask(location, { method: 'DELETE' })).status).toBe(204);
  expect((await ask(location)).status).toBe(404);
  expect((await ask(location, { method: 'DELETE' })).status).toBe(404);
});

test('DELETE calls off what runs, and its key is free again', async () => {
  const release = blueprints.hold();
  const post = (): Promise<Answer> =>
    later({ method: 'POST', path: '/called-off', headers: [['Idempotency-Key', '"off"']] });
  const location = locationIn(await post());
  await waitFor('the run', () => blueprints.asked.at(-1) === '/called-off');
  expect((await ask(location, { method: 'DELETE' })).status).toBe(204);
  await waitFor('its end', () => blueprints.brokenOff.includes('/called-off'));
  release();
  const again = locationIn(await post());
  expect(again).not.toBe(location);
  expect((await answer(again)).status).toBe(201);
});

test('an Idempotency-Key leads to the same location, while it runs and after', async () => {
  const before = blueprints.asked.length;
  const release = blueprints.hold();
  const headers = [['Idempotency-Key', '"same"']] as const;
  const post = (prefer?: string): Promise<Answer> =>
    later({ method: 'POST', path: '/same', body: 'x', headers }, prefer);
  const [first, second] = [locationIn(await post()), locationIn(await post())];
  expect(second).toBe(first);
  const waiting = system.request({ hostname: HOST, method: 'POST', path: '/same', body: 'x', headers });
  const patient = post('respond-async, wait=20');
  await waitFor('those who wait', async () => {
    const keys = await system.redis.keys(`${system.env['QUEUE_PREFIX']}:idempotency:*`);
    const records = await Promise.all(keys.map((key) => system.redis.hkeys(key)));
    return records.some((fields) => fields.filter((field) => field.startsWith('to:')).length >= 2);
  });
  release();
  for (const replayed of await Promise.all([waiting, patient, post('respond-async, wait=1')])) {
    expect([replayed.status, replayed.text]).toEqual([201, 'x']);
    expect(replayed.header('Idempotency-Replayed')).toBe('true');
  }
  expect(locationIn(await post())).toBe(first);
  const other = await later({ method: 'POST', path: '/same', body: 'y', headers });
  expect(other.json()).toMatchObject({ code: 'idempotency_key_reused' });
  expect(blueprints.asked.slice(before)).toEqual(['/same']);
});

test('a key of a request that was not asynchronous gives that answer', async () => {
  const headers = [['Idempotency-Key', '"sync"']] as const;
  await system.request({ hostname: HOST, method: 'POST', headers });
  const replayed = await later({ method: 'POST', headers });
  expect([replayed.status, replayed.header('Idempotency-Replayed')]).toEqual([201, 'true']);
});

test('a client that goes while it waits for the answer itself calls it off', async () => {
  const release = blueprints.hold();
  const gone = new AbortController();
  const pending = later({ path: '/gone', signal: gone.signal }, 'respond-async, wait=20');
  await waitFor('the run', () => blueprints.asked.at(-1) === '/gone');
  gone.abort();
  await expect(pending).rejects.toThrow('aborted');
  await waitFor('its end', () => blueprints.brokenOff.includes('/gone'));
  release();
});

test('asynchronous requests leave a sandbox to the others', async () => {
  const release = blueprints.hold();
  const locations: string[] = [];
  for (let i = 0; i < 6; i++) locations.push(locationIn(await later({ path: `/${i}` })));
  const states = async (): Promise<string[]> =>
    (await Promise.all(locations.map(state))).map((found) => found.state);
  await waitFor('the first', async () => (await states())[0] === 'running');
  expect(await states()).toEqual(['running', ...Array<string>(5).fill('waiting')]);
  const forgotten = locations.pop() as string;
  expect((await ask(forgotten, { method: 'DELETE' })).status).toBe(204);
  release();
  for (const location of locations) expect((await answer(location)).status).toBe(201);
  expect(blueprints.asked).not.toContain('/5');
});

test('a location is in no log, whatever is asked of it', async () => {
  const release = blueprints.hold();
  const location = locationIn(await later());
  const id = location.slice(location.lastIndexOf('/') + 1);
  expect((await ask(`${location}/answer`)).status).toBe(409);
  expect((await ask(location, { method: 'PUT' })).status).toBe(405);
  expect((await ask(`http://${HOST}${location}/answer`)).status).toBe(409);
  release();
  expect((await answer(location)).status).toBe(201);
  const processes = [system.gateway, ...system.runners];
  expect(system.gateway.records.some(({ msg }) => msg === 'answered')).toBe(true);
  for (const process of processes) expect(process.output()).not.toContain(id);
});

test('what became of them is counted', async () => {
  const figures = await readMetrics(system.adminPort, TOKEN);
  const ended = (code: string): number => figures.get(`lc500_async_invocations_total{code="${code}"}`) ?? 0;
  expect(ended('ok')).toBeGreaterThanOrEqual(10);
  expect(ended('script_error')).toBe(1);
  expect(ended('called_off')).toBe(2);
  expect(figures.get('lc500_queue_asynchronous')).toBe(0);
  expect(figures.get('lc500_invocations_in_flight')).toBe(0);
  const deferred = figures.get('lc500_invocations_total{state="deferred",code="async"}');
  expect(deferred).toBeGreaterThan(10);
  expect(endingsOf(figures)['client_gone']).toBe(1);
});
