import { afterEach, beforeEach, expect, test } from 'vitest';
import { IdempotencyRecords, idempotencyRecordKey } from '../../shared/idempotency.ts';
import { fingerprintOf } from '../../gateway/idempotency-key.ts';
import { startBlueprintServer, type BlueprintServer } from '../helpers/blueprint-server.ts';
import { sendRequest, type Answer } from '../helpers/http.ts';
import { answerAt, locationIn, sendLater, stateAt } from '../helpers/later.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const HOST = 'a.example';

let blueprints: BlueprintServer;
let system: System;
beforeEach(async () => {
  blueprints = await startBlueprintServer();
});
afterEach(async () => {
  await system[Symbol.asyncDispose]();
  await blueprints[Symbol.asyncDispose]();
});

async function start(env: Record<string, string> = {}, runners = 1): Promise<void> {
  const target = { BLUEPRINT_TARGET: blueprints.target, UPSTREAM_TIMEOUT_MS: '20000' };
  system = await startSystem({ env: { ...target, ...env }, runners });
  await system.deploy(HOST, 'setBody(readRequestMethod() + readResponseBody())');
}

async function later(method: string, headers: readonly [string, string][] = []): Promise<string> {
  return locationIn(await sendLater(system.port, { hostname: HOST, method, headers }));
}

async function killRunner(runs: number): Promise<void> {
  await waitFor('the run', () => blueprints.asked.length === runs);
  const runner = system.runners.at(-1);
  runner?.signal('SIGKILL');
  await runner?.exit;
}

/** @returns the port of another gateway */
async function replaceGateway(): Promise<number> {
  system.gateway.signal('SIGKILL');
  await system.gateway.exit;
  return (await system.addGateway()).port;
}

const answer = (path: string, port = system.port): Promise<Answer> => answerAt(port, HOST, path);

test('kill -9 of gateway and runner between 202 and the result: the result arrives', async () => {
  await start({ RUNNER_SANDBOXES: '4' });
  const release = blueprints.hold();
  const get = await later('GET');
  const withKey = await later('POST', [['Idempotency-Key', '"key"']]);
  const post = await later('POST');
  await killRunner(3);
  const port = await replaceGateway();
  release();
  await system.addRunner();
  expect((await answer(get, port)).text).toMatch(/^GET[45]$/);
  expect((await answer(withKey, port)).text).toMatch(/^POST[45]$/);
  // It may have had effects, and nobody said that it may be run twice.
  expect((await answer(post, port)).json()).toMatchObject({ code: 'runner_lost', status: 502 });
  expect(blueprints.asked).toHaveLength(5);
});

test('kill -9 of the gateway before any runner took a POST: the result arrives', async () => {
  await start({}, 0);
  const location = await later('POST');
  const port = await replaceGateway();
  const found = await stateAt(port, HOST, location);
  expect(found.state).toBe('waiting');
  await system.addRunner();
  expect((await answer(location, port)).text).toBe('POST1');
});

test('a script that loses every runner it is given ends as runner_lost', async () => {
  await start();
  const release = blueprints.hold();
  const location = await later('GET');
  await killRunner(1);
  await system.addRunner();
  await killRunner(2);
  release();
  await system.addRunner();
  expect((await answer(location)).json()).toMatchObject({ code: 'runner_lost' });
  expect(blueprints.asked).toHaveLength(2);
});

test('a runner that is told to end finishes what it has', async () => {
  await start();
  const release = blueprints.hold();
  const location = await later('POST');
  await waitFor('the run', () => blueprints.asked.length === 1);
  const [runner] = system.runners;
  runner?.signal('SIGTERM');
  await runner?.logged('closing');
  release();
  expect(await runner?.exit).toMatchObject({ code: 0 });
  expect((await answer(location)).text).toBe('POST1');
});

test('what no runner took within ASYNC_DEADLINE_MS ends as deadline_exceeded', async () => {
  await start({ ASYNC_DEADLINE_MS: '300', ASYNC_TIMEOUT_MS: '300' }, 0);
  const location = await later('GET');
  await new Promise((resolve) => setTimeout(resolve, 400));
  await system.addRunner();
  expect((await answer(location)).json()).toMatchObject({ code: 'deadline_exceeded' });
  expect(blueprints.asked).toEqual([]);
});

test('more than ASYNC_MAX_WAITING are not accepted', async () => {
  await start({ ASYNC_MAX_WAITING: '1' }, 0);
  const location = await later('GET');
  const refused = await sendLater(system.port, { hostname: HOST });
  expect([refused.status, refused.header('Retry-After')]).toEqual([503, '1']);
  expect(refused.json()).toMatchObject({ code: 'overloaded' });
  await system.addRunner();
  expect((await answer(location)).status).toBe(200);
});

test('the answer is kept for ASYNC_RETENTION_HOURS', async () => {
  await start({ ASYNC_RETENTION_HOURS: '0.0005' });
  const location = await later('GET');
  await answer(location);
  const ask = (): Promise<Answer> => sendRequest(system.port, { hostname: HOST, path: location });
  await waitFor('its end', async () => (await ask()).status !== 200);
  expect((await ask()).json()).toMatchObject({ code: 'invocation_not_found' });
});

test('a key whose gateway died before there was a job is taken over', async () => {
  await start();
  const key = idempotencyRecordKey(system.env['QUEUE_PREFIX'] ?? '', HOST, 'key');
  const request = { method: 'POST', url: '/', headers: [], body: Buffer.alloc(0) };
  await new IdempotencyRecords(system.redis).claim(key, {
    id: 'dead',
    fingerprint: fingerprintOf(request),
    deadline: Date.now() + 60_000,
    replyTo: 'nobody',
    locationId: 'x'.repeat(22),
  });
  const location = await later('POST', [['Idempotency-Key', '"key"']]);
  expect(location).not.toContain('x'.repeat(22));
  expect((await answer(location)).text).toBe('POST1');
});
