import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBlueprintServer, type BlueprintServer } from '../helpers/blueprint-server.ts';
import { sendRequest, type Answer } from '../helpers/http.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

let blueprints: BlueprintServer;
let system: System;
beforeEach(async () => {
  blueprints = await startBlueprintServer();
});
afterEach(async () => {
  await system[Symbol.asyncDispose]();
  await blueprints[Symbol.asyncDispose]();
});

const SCRIPT = 'setBody(readResponseBody())';

async function start(env: Record<string, string> = {}, runners = 1): Promise<void> {
  const target = { BLUEPRINT_TARGET: blueprints.target, UPSTREAM_TIMEOUT_MS: '20000' };
  // A runner's death is noticed after some seconds, and the next one has to start: on a busy machine, twice, that is long.
  const patient = { REQUEST_DEADLINE_MS: '90000' };
  system = await startSystem({ env: { ...target, ...patient, ...env }, runners });
  await system.deploy('a.example', SCRIPT);
}

const post = (port = system.port): Promise<Answer> =>
  sendRequest(port, {
    hostname: 'a.example',
    method: 'POST',
    body: 'body',
    headers: [['Idempotency-Key', '"key"']],
  });

const records = (): Promise<string[]> => system.redis.keys(`${system.env['QUEUE_PREFIX']}:idempotency:*`);

async function killRunnerUnderIt(runs: number): Promise<void> {
  await waitFor('the run', () => blueprints.asked.length === runs);
  const runner = system.runners.at(-1);
  runner?.signal('SIGKILL');
  await runner?.exit;
}

test('the runner is killed under a POST with a key: it runs once more, and all who wait get its answer', async () => {
  await start();
  const other = await system.addGateway();
  const release = blueprints.hold();
  const pending = [post(), post(other.port)];
  await killRunnerUnderIt(1);
  await system.addRunner();
  await waitFor('the second run', () => blueprints.asked.length === 2);
  release();
  expect((await Promise.all(pending)).map(({ status, text }) => [status, text])).toEqual([
    [200, '2'],
    [200, '2'],
  ]);
  expect((await post()).text).toBe('2');
  expect(blueprints.asked).toHaveLength(2);
});

test('a second runner is killed under it: runner_lost for all, no third run, and the key is free', async () => {
  await start();
  const other = await system.addGateway();
  const release = blueprints.hold();
  const pending = [post(), post(other.port)];
  await killRunnerUnderIt(1);
  await system.addRunner();
  await killRunnerUnderIt(2);
  await system.addRunner();
  for (const answer of await Promise.all(pending))
    expect(answer.json()).toMatchObject({ code: 'runner_lost' });
  expect(blueprints.asked).toHaveLength(2);
  release();
  expect((await post()).text).toBe('3');
}, 100_000);

test('without a runner the one who waits ends by its own deadline, and the key is free soon after', async () => {
  await start({ REQUEST_DEADLINE_MS: '1000', SCRIPT_TIMEOUT_MS: '900' }, 0);
  const first = post();
  await waitFor('the claim', async () => (await records()).length === 1);
  const answers = await Promise.all([first, post()]);
  for (const answer of answers) expect(answer.json()).toMatchObject({ code: 'deadline_exceeded' });
  await waitFor('the end of the claim', async () => (await records()).length === 0);
  await system.addRunner();
  expect((await post()).text).toBe('1');
});

test('the kept answer ends after IDEMPOTENCY_HOURS', async () => {
  await start({ IDEMPOTENCY_HOURS: '0.0005' });
  expect((await post()).text).toBe('1');
  expect((await post()).text).toBe('1');
  await waitFor('its end', async () => (await records()).length === 0);
  expect((await post()).text).toBe('2');
});

test('two gateways and two runners, killed one after the other under retries: one answer, two runs at most', async () => {
  await start({}, 2);
  const gateways = [await system.addGateway(), await system.addGateway()];
  const release = blueprints.hold();
  const lost = gateways.map(({ port }) => post(port).catch(() => 'lost'));
  await waitFor('the run', () => blueprints.asked.length === 1);
  for (const { child } of gateways) child.signal('SIGKILL');
  // One of them has the job; which, nobody knows.
  system.runners[0]?.signal('SIGKILL');
  const retry = post();
  release();
  expect(await Promise.all(lost)).toEqual(['lost', 'lost']);
  const { status, text } = await retry;
  expect(status).toBe(200);
  expect((await post()).text).toBe(text);
  expect(blueprints.asked.length).toBeLessThanOrEqual(2);
});
