import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBlueprintServer, type BlueprintServer } from '../helpers/blueprint-server.ts';
import { sendRequest } from '../helpers/http.ts';
import { readMetrics } from '../helpers/metrics.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const TOKEN = 'a-token-for-this-test';

let system: System;
let blueprints: BlueprintServer;
beforeEach(async () => {
  blueprints = await startBlueprintServer();
});
afterEach(async () => {
  await system[Symbol.asyncDispose]();
  await blueprints[Symbol.asyncDispose]();
});

const registered = () => system.redis.zrange(`${system.env['QUEUE_PREFIX']}:gateways`, '0', '-1');
const streams = () => system.redis.keys(`${system.env['QUEUE_PREFIX']}:replies:*`);
const orphaned = async () =>
  (await readMetrics(system.adminPort, TOKEN)).get('lc500_invocations_orphaned_total');

test('what ran for a gateway that was killed is told by another, request by request, and leaves no key', async () => {
  const target = { BLUEPRINT_TARGET: blueprints.target, UPSTREAM_TIMEOUT_MS: '20000' };
  system = await startSystem({ env: { ...target, ADMIN_TOKEN: TOKEN, REQUEST_DEADLINE_MS: '4000' } });
  await system.deploy('a.example', 'setBody("ok")');
  const doomed = await system.addGateway();
  const release = blueprints.hold();
  const lost = [1, 2, 3].map(() => sendRequest(doomed.port, { hostname: 'a.example' }).catch(() => 'lost'));
  await waitFor('their runs', () => blueprints.asked.length === 3);
  expect(await registered()).toHaveLength(2);
  doomed.child.signal('SIGKILL');
  expect(await Promise.all(lost)).toEqual(['lost', 'lost', 'lost']);
  release();
  await waitFor('the account', async () => (await orphaned()) === 3, { timeoutMs: 25_000 });
  const told = system.gateway.records.filter(({ msg }) => msg === 'it ran for a gateway that has died');
  expect(new Set(told.map(({ requestId }) => requestId)).size).toBe(3);
  await waitFor('the end of its keys', async () => (await streams()).length === 1);
  expect(await registered()).toEqual(await streams());
}, 60_000);

test('a gateway that ends in order is off the list', async () => {
  system = await startSystem({ runners: 0 });
  const other = await system.addGateway();
  expect(await registered()).toHaveLength(2);
  other.child.signal('SIGTERM');
  await other.child.exit;
  expect(await registered()).toEqual(await streams());
});
