import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startBlueprintServer } from '../helpers/blueprint-server.ts';
import { sendRequest, type Answer } from '../helpers/http.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

let system: System;
afterEach(() => system[Symbol.asyncDispose]());

const WORK = 'const end = Date.now() + 10; while (Date.now() < end); setBody(readRequestUrl())';
const PATIENT = { SCRIPT_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '25000' };

const active = async (): Promise<number> =>
  system.redis.llen(`${system.env['QUEUE_PREFIX']}:invocations:active`);
const loop = (method = 'GET'): Promise<Answer> =>
  system.request({ hostname: 'loop.example', method, ...(method === 'POST' ? { body: 'x' } : {}) });

/**
 * Gateways in turn. Tried elsewhere is only what could not be connected, so that nothing can have been sent: refused,
 * or reset by a kernel that was shaking hands when the listener closed.
 */
function roundRobin(ports: readonly number[]) {
  let turn = 0;
  return async (path: string): Promise<Answer> => {
    for (;;) {
      const port = ports[turn++ % ports.length] as number;
      try {
        return await sendRequest(port, { hostname: 'work.example', path, method: turn % 3 ? 'GET' : 'PUT' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).syscall !== 'connect') throw error;
      }
    }
  };
}

/** @param ports may change while it runs */
function load(ports: readonly number[], connections: number) {
  const ask = roundRobin(ports);
  const wrong: unknown[] = [];
  let answered = 0;
  const stopped = new AbortController();
  const client = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const path = `/${answered}`;
      const answer = await ask(path).catch((error: unknown) => error as Error);
      if (answer instanceof Error) wrong.push(answer);
      else if (answer.status !== 200 || answer.text !== path) wrong.push([answer.status, answer.text]);
      answered++;
    }
  };
  const clients = Array.from({ length: connections }, client);
  const more = async (): Promise<void> => {
    const then = answered;
    await waitFor('answers', () => answered > then + 30, { timeoutMs: 60_000 });
  };
  return {
    wrong,
    more,
    async stop() {
      stopped.abort();
      await Promise.all(clients);
    },
  };
}

test('gateways and runners are restarted one after the other under load: no request fails', async () => {
  system = await startSystem({ runners: 2 });
  await system.deploy('work.example', WORK);
  const second = await system.addGateway();
  const gateways = [{ child: system.gateway, port: system.port }, second];
  const ports = gateways.map(({ port }) => port);
  const clients = load(ports, 6);
  await clients.more();
  for (const at of [0, 1]) {
    const [next] = await Promise.all([system.addGateway(), system.addRunner()]);
    gateways[at]?.child.signal('SIGTERM');
    expect(await gateways[at]?.child.exit).toEqual({ code: 0, signal: null });
    ports[at] = next.port;
    await clients.more();
    system.runners[at]?.signal('SIGTERM');
    expect(await system.runners[at]?.exit).toEqual({ code: 0, signal: null });
    await clients.more();
  }
  await clients.stop();
  expect(clients.wrong).toEqual([]);
}, 180_000);

test('a second signal to a gateway: what is in flight gets gateway_closing, and its jobs are called off', async () => {
  system = await startSystem({ env: PATIENT });
  await system.deploy('loop.example', 'for(;;){}');
  const pending = [loop(), loop('POST'), loop(), loop()];
  await waitFor('jobs', async () => (await active()) === 4);
  system.gateway.signal('SIGTERM');
  await system.gateway.logged('closing');
  // Npm passes signals on that have come already: that counts as one.
  system.gateway.signal('SIGTERM');
  await sleep(600);
  expect(system.gateway.hasEnded).toBe(false);
  system.gateway.signal('SIGTERM');
  for (const answer of await Promise.all(pending))
    expect(answer.json()).toMatchObject({ code: 'gateway_closing', status: 503 });
  expect(await system.gateway.exit).toEqual({ code: 1, signal: null });
  const account = await system.gateway.logged('what became of all requests');
  expect(account).toMatchObject({ accepted: 4, inFlight: 0, endings: { gateway_closing: 4 } });
  await waitFor('no job', async () => (await active()) === 0);
});

test('the end of a gateway’s grace period does the same', async () => {
  system = await startSystem({ env: { ...PATIENT, SHUTDOWN_GRACE_MS: '500' } });
  await system.deploy('loop.example', 'for(;;){}');
  const pending = loop();
  await waitFor('the job', async () => (await active()) === 1);
  system.gateway.signal('SIGTERM');
  expect((await pending).json()).toMatchObject({ code: 'gateway_closing' });
  expect(await system.gateway.exit).toEqual({ code: 1, signal: null });
});

test('a second signal to a runner: a GET goes to another, a POST gets runner_lost, both at once', async () => {
  await using blueprints = await startBlueprintServer();
  const env = { ...PATIENT, BLUEPRINT_TARGET: blueprints.target, UPSTREAM_TIMEOUT_MS: '20000' };
  system = await startSystem({ env });
  await system.deploy('a.example', 'setBody(readResponseBody())');
  const release = blueprints.hold();
  const get = system.request({ hostname: 'a.example' });
  const post = system.request({ hostname: 'a.example', method: 'POST', body: 'x' });
  await waitFor('both', () => blueprints.asked.length === 2);
  const [leaving] = system.runners;
  leaving?.signal('SIGTERM');
  await leaving?.logged('closing');
  const other = await system.addRunner();
  await sleep(600);
  leaving?.signal('SIGTERM');
  expect((await post).json()).toMatchObject({ code: 'runner_lost', status: 502 });
  expect(await leaving?.exit).toEqual({ code: 1, signal: null });
  await waitFor('the second run', () => blueprints.asked.length === 3);
  release();
  expect((await get).text).toBe('3');
  // It was handed over; nobody had to notice.
  expect(other.output()).not.toContain('its runner is gone');
});
