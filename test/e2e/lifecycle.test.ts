import { Agent } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { startChild } from '../helpers/child.ts';
import { isAlive, processTree } from '../helpers/process-tree.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

let system: System | undefined;
afterEach(async () => {
  await system?.[Symbol.asyncDispose]();
  system = undefined;
});

const WORK = 'const end = Date.now() + 20; while (Date.now() < end); setBody(readRequestUrl())';

/** Keeps requests under way until told to stop; gives every status that came. */
function load(on: System, connections: number) {
  const statuses: number[] = [];
  const stopped = new AbortController();
  let sent = 0;
  const client = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const path = `/${sent++}`;
      const answer = await on.request({ hostname: 'work.example', path }).catch((error: Error) => error);
      if (answer instanceof Error) return;
      statuses.push(answer.text === path ? answer.status : -answer.status);
    }
  };
  const clients = Array.from({ length: connections }, client);
  return {
    statuses,
    async stop() {
      stopped.abort();
      await Promise.all(clients);
    },
  };
}

test('SIGTERM to a runner under load: it finishes and exits 0, and no request fails', async () => {
  system = await startSystem({ runners: 2 });
  await system.deploy('work.example', WORK);
  const clients = load(system, 8);
  await waitFor('load', () => clients.statuses.length > 50);
  const [leaving] = system.runners;
  leaving?.signal('SIGTERM');
  expect(await leaving?.exit).toEqual({ code: 0, signal: null });
  const then = clients.statuses.length;
  await waitFor('the other runner', () => clients.statuses.length > then + 50);
  await clients.stop();
  expect(clients.statuses.filter((status) => status !== 200)).toEqual([]);
});

test('SIGTERM to the gateway under load: what is in flight is answered, and it exits 0', async () => {
  system = await startSystem();
  await system.deploy(
    'work.example',
    'const end = Date.now() + 400; while (Date.now() < end); setBody(readRequestUrl())',
  );
  // These clients would keep their connections.
  const agent = new Agent({ keepAlive: true });
  const inFlight = Array.from({ length: 4 }, (_, i) =>
    (system as System).request({ hostname: 'work.example', path: `/${i}`, agent }),
  );
  const { redis, env } = system;
  await waitFor('jobs', async () => (await redis.llen(`${env['QUEUE_PREFIX']}:invocations:active`)) === 4);
  system.gateway.signal('SIGTERM');
  expect((await Promise.all(inFlight)).map(({ status, text }) => [status, text])).toEqual(
    [0, 1, 2, 3].map((i) => [200, `/${i}`]),
  );
  expect(await system.gateway.exit).toEqual({ code: 0, signal: null });
  await expect(system.request({ hostname: 'work.example' })).rejects.toThrow('ECONNREFUSED');
});

test.each(['for(;;){}', 'throw { get message() { for (;;) {} } }', ''])(
  'no sandbox outlives a runner that was killed while it ran %j',
  async (source) => {
    system = await startSystem({ env: { SCRIPT_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '21000' } });
    const runner = system.runners[0];
    await waitFor('both sandboxes', () => processTree(runner?.pid as number).length === 3);
    const sandboxes = processTree(runner?.pid as number).slice(1);
    expect(sandboxes).toHaveLength(2);
    await system.deploy('loop.example', source);
    const pending = system.request({ hostname: 'loop.example' }).catch(() => undefined);
    const used = () => sandboxes.some(({ pid, cpu }) => (processTree(pid)[0]?.cpu ?? 0) > cpu + 10);
    if (source === '') await pending;
    else await waitFor('a busy sandbox', used);
    runner?.signal('SIGKILL');
    await runner?.exit;
    await waitFor('the end of its sandboxes', () => sandboxes.every(({ pid }) => !isAlive(pid)));
    system.gateway.signal('SIGKILL');
    await pending;
  },
);

test('the runner dies under a GET: the answer comes from the other runner', async () => {
  system = await startSystem({ env: { SCRIPT_TIMEOUT_MS: '5000' } });
  await system.deploy('slow.example', 'const end = Date.now() + 1500; while (Date.now() < end);');
  const pending = system.request({ hostname: 'slow.example' });
  const { redis, env } = system;
  await waitFor('the job', async () => (await redis.llen(`${env['QUEUE_PREFIX']}:invocations:active`)) === 1);
  system.runners[0]?.signal('SIGKILL');
  await system.addRunner();
  expect((await pending).status).toBe(200);
});

test.each(['gateway/main.ts', 'runner/main.ts'])('%s reports a bad environment whole', async (entry) => {
  const child = startChild(entry, { PORT: 'x', REDIS_URL: 'secret-url', LOG_LEVEL: '9', AWS_BUCKET: 'b' });
  expect((await child.exit).code).toBe(1);
  for (const name of ['PORT="x"', 'REDIS_URL=***', 'LOG_LEVEL="9"']) expect(child.output()).toContain(name);
  expect(child.output()).not.toContain('secret-url');
});
