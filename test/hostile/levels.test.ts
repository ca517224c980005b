import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, type TestContext } from 'vitest';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { LEVELS, type Level } from '../../runner/launcher/walls.ts';
import type { Child } from '../helpers/child.ts';
import { isAlive, processTree, wholeTree } from '../helpers/process-tree.ts';
import { sendRequest } from '../helpers/http.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

const isRoot = process.getuid?.() === 0;
const FIRST_USER_ID = 61_184;

let system: System | undefined;
afterEach(async () => {
  await system?.[Symbol.asyncDispose]();
  system = undefined;
});

/** Starts a system whose sandboxes have this level, or skips the test saying why the machine has it not. */
async function start(level: Level, context: TestContext, env = {}): Promise<System> {
  await available(level, context);
  system = await startSystem({ env: { SANDBOX_LAUNCHER: level, ...env } });
  const runner = system.runners[0]?.pid as number;
  await waitFor('both sandboxes', () => processTree(runner).length === 3);
  return system;
}

async function available(level: Level, { skip }: TestContext): Promise<void> {
  await detectLauncher(level, FIRST_USER_ID).catch((error: Error) => skip(error.message));
}

/** A launcher that has not started its sandbox yet stands for none. */
function sandboxesOf(on: System): number[] {
  return processTree(on.runners[0]?.pid as number)
    .slice(1)
    .map(({ pid }) => pid);
}

describe.each(LEVELS)('level %s', (level) => {
  test('is told in the log and through /readyz', async (context) => {
    const { adminPort, runners } = await start(level, context);
    expect(runners[0]?.records.find(({ msg }) => msg === 'runner takes jobs')).toMatchObject({ level });
    const ready = async (): Promise<unknown> =>
      (await sendRequest(adminPort, { hostname: 'admin', path: '/readyz' })).json();
    await waitFor('readiness', async () => ((await ready()) as { status: string }).status === 'ready');
    expect(await ready()).toEqual({ status: 'ready', sandboxes: { [level]: 1 } });
  });

  test.for(['SIGINT', 'SIGTERM'] as const)(
    'a runner finishes its requests though its sandboxes are sent %s, too',
    async (signal, context) => {
      const on = await start(level, context, { SCRIPT_TIMEOUT_MS: '5000' });
      const { pid, exit } = on.runners[0] as Child;
      await on.deploy(
        'long.example',
        `const end = Date.now() + 1500; while (Date.now() < end); setBody('done')`,
      );
      const answer = on.request({ hostname: 'long.example' });
      await sleep(700);
      for (const member of wholeTree(pid)) process.kill(member.pid, signal);
      expect(await answer).toMatchObject({ status: 200, text: 'done' });
      expect(await exit).toEqual({ code: 0, signal: null });
    },
  );

  test('a sandbox has no privileges, no environment, an empty directory, and is the first to go', async (context) => {
    const sandboxes = sandboxesOf(await start(level, context));
    for (const pid of sandboxes) {
      const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
      const field = (name: string): string | undefined =>
        new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(read('status'))?.[1];
      expect(field('CapEff')).toBe('0000000000000000');
      expect(field('NoNewPrivs')).toBe('1');
      expect(field('Seccomp')).toBe(level === 'namespaced' ? '2' : '0');
      expect(
        read('environ')
          .split('\0')
          .filter((entry) => entry && !entry.startsWith('PWD=')),
      ).toEqual([]);
      expect(readdirSync(`/proc/${pid}/cwd`)).toEqual([]);
    }
    const score = (pid: number): string => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim();
    await waitFor('their scores', () => sandboxes.every((pid) => score(pid) === '1000'));
  });

  test('each sandbox runs as the user that it should', async (context) => {
    const sandboxes = sandboxesOf(await start(level, context));
    const userOf = (pid: number): number =>
      Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    const users = new Set(sandboxes.map(userOf));
    const ownUsers = isRoot && level !== 'process';
    const expected = ownUsers ? sandboxes.length : 1;
    expect(users.size).toBe(expected);
    expect(users.has(process.getuid?.() ?? -1)).toBe(!ownUsers);
  });

  test('a sandbox has no descriptor that its runner was started with', async (context) => {
    await available(level, context);
    const file = openSync(fileURLToPath(import.meta.url), 'r');
    const script = fileURLToPath(new URL('./list-descriptors.ts', import.meta.url));
    const stdio = ['ignore', 'pipe', 'inherit', 'ignore', file, file] as const;
    const parent = spawn(process.execPath, [script, level], { stdio: [...stdio] });
    const listed = JSON.parse(await text(parent.stdout as NodeJS.ReadableStream)) as [number, string][];
    closeSync(file);
    const leadSomewhere = listed.filter(([, target]) => !/^(pipe:|anon_inode:)/.test(target));
    expect(leadSomewhere.map(([fd]) => fd)).toEqual([0, 1, 2, 3]);
    expect(leadSomewhere.slice(0, 2).map(([, target]) => target)).toEqual(['/dev/null', '/dev/null']);
  });

  test.for(['for(;;){}', 'throw { get message() { for (;;) {} } }'])(
    'a sandbox in %j dies with its runner',
    async (source, context) => {
      const on = await start(level, context, { SCRIPT_TIMEOUT_MS: '20000', REQUEST_DEADLINE_MS: '21000' });
      const runner = on.runners[0];
      const sandboxes = processTree(runner?.pid as number).slice(1);
      await on.deploy('loop.example', source);
      const pending = on.request({ hostname: 'loop.example' }).catch(() => undefined);
      const busy = (): boolean =>
        sandboxes.some(({ pid, cpu }) => (processTree(pid)[0]?.cpu ?? 0) > cpu + 10);
      await waitFor('a busy sandbox', busy);
      const started = wholeTree(runner?.pid as number).slice(1);
      runner?.signal('SIGKILL');
      await runner?.exit;
      await waitFor('the end of all that it started', () => started.every(({ pid }) => !isAlive(pid)));
      expect(sandboxes).toHaveLength(2);
      on.gateway.signal('SIGKILL');
      await pending;
    },
  );

  test.for([
    'const m = new Map(); for (let i = 0; ; i++) m.set(i, i)',
    'const a = []; for (;;) a.push(new ArrayBuffer(1 << 20, { maxByteLength: 1 << 24 }))',
    'for (const a = []; ; ) a.push(new Uint8Array(1e6).fill(1))',
  ])('%s is a memory_limit, and its sandbox is replaced', async (source, context) => {
    const on = await start(level, context, { SCRIPT_TIMEOUT_MS: '10000' });
    await on.deploy('bomb.example', source);
    await on.deploy('other.example', 'setBody("ok")');
    const { status, text: body } = await on.request({ hostname: 'bomb.example' });
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([503, 'memory_limit']);
    await waitFor('both sandboxes', () => sandboxesOf(on).length === 2);
    expect((await on.request({ hostname: 'other.example' })).text).toBe('ok');
  });
});
