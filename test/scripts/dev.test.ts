import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { readDevState } from '../../scripts/dev-state.ts';
import { sendRequest } from '../helpers/http.ts';
import { commandOf, isAlive, processTree, wholeTree } from '../helpers/process-tree.ts';
import { waitFor } from '../helpers/wait.ts';

const DEV = fileURLToPath(new URL('../../scripts/dev.ts', import.meta.url));

let dev: Awaited<ReturnType<typeof startDev>>;
afterEach(async () => {
  dev.child.kill('SIGKILL');
  await dev.exit;
  await waitFor('the end of all that dev started', () => dev.started.every((pid) => !isAlive(pid)));
  await rm(dev.folder, { recursive: true, force: true });
});

/** Runs `scripts/dev.ts` in a folder of its own, on free ports, until it says that it is up. */
async function startDev(env: Record<string, string> = {}, args: string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-dev-'));
  const child = spawn(process.execPath, [DEV, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ADMIN_PORT: '0', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (output += text.toString()));
  let ended = false;
  const exit = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      ended = true;
      resolve(code);
    });
  });
  await waitFor('dev', () => ended || output.includes('Ctrl-C stops everything'), {
    timeoutMs: 60_000,
    details: () => output,
  });
  const started = wholeTree(child.pid as number)
    .slice(1)
    .map(({ pid }) => pid);
  const port = Number(/hello\.localhost:(\d+)/.exec(output)?.[1]);
  return { child, exit, folder, started, port, output: () => output };
}

test('it answers for every sample, and Ctrl-C ends all of it', async () => {
  dev = await startDev();
  expect(dev.output()).toMatch(/first answer \d+\.\d\d s after the start/);
  const ask = (name: string, path = '/') => sendRequest(dev.port, { hostname: `${name}.localhost`, path });
  expect((await ask('hello')).status).toBe(200);
  const page = await ask('page');
  expect(page.text).toContain('Tea &amp; biscuits');
  expect(page.header('content-type')).toBe('text/html; charset=utf-8');
  const notes = await ask('notes');
  expect(notes.headers.filter(([name]) => name.toLowerCase() === 'set-cookie')).toHaveLength(2);
  expect((await ask('notes', '/nowhere')).status).toBe(404);
  const { admin } = (await readDevState(dev.folder)) ?? {};
  const withToken = { headers: { authorization: `Bearer ${admin?.token}` } };
  expect((await fetch(`${admin?.url}/metrics`)).status).toBe(401);
  expect((await fetch(`${admin?.url}/metrics`, withToken)).status).toBe(200);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i));
  const echo = await sendRequest(dev.port, {
    hostname: 'echo.localhost',
    method: 'POST',
    headers: [['Content-Type', 'image/png']],
    body: bytes,
  });
  expect(echo.body.equals(bytes)).toBe(true);
  dev.child.kill('SIGINT');
  expect(await dev.exit).toBe(0);
});

test('--autoscale: an autoscaler starts the runners, a lost one is replaced, and Ctrl-C ends all of it', async () => {
  dev = await startDev({}, ['--autoscale']);
  expect((await sendRequest(dev.port, { hostname: 'hello.localhost' })).status).toBe(200);
  const runners = () =>
    processTree(dev.child.pid as number).filter(({ pid }) => commandOf(pid).includes('runner/main.ts'));
  const [first] = runners();
  process.kill(first?.pid as number, 'SIGKILL');
  await waitFor('another runner', () => runners().some(({ pid }) => pid !== first?.pid));
  const all = wholeTree(dev.child.pid as number).map(({ pid }) => pid);
  dev.child.kill('SIGINT');
  expect(await dev.exit).toBe(0);
  await waitFor('the end of all', () => all.every((pid) => !isAlive(pid)));
});

test.each([
  ['gateway', 'gateway/main.ts'],
  ['runner', 'runner/main.ts'],
  ['redis', 'redis-server'],
])('when its %s crashes, it says so and ends all the rest', async (name, command) => {
  dev = await startDev();
  const victim = dev.started.find((pid) => commandOf(pid).includes(command));
  process.kill(victim as number, 'SIGKILL');
  expect(await dev.exit).toBe(1);
  expect(dev.output()).toContain(`dev: ${name}`);
});

test('nothing outlives it when it is killed', async () => {
  dev = await startDev();
  expect(dev.started.length).toBeGreaterThanOrEqual(4);
  dev.child.kill('SIGKILL');
  expect(await dev.exit).toBeNull();
});

test('a port that is taken is named', async () => {
  dev = await startDev();
  const second = await startDev({ PORT: String(dev.port) });
  expect(await second.exit).toBe(1);
  expect(second.output()).toContain(`PORT ${dev.port} cannot be had`);
  await rm(second.folder, { recursive: true, force: true });
});
