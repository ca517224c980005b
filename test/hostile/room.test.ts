import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, inject, test, type TestContext } from 'vitest';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import type { Launch, Launcher } from '../../runner/launcher/launcher.ts';
import { sandboxFlags } from '../../runner/launcher/node-command.ts';
import { sandboxLine, spawnSandbox } from '../../runner/launcher/spawn.ts';
import { LEVELS, type Level } from '../../runner/launcher/walls.ts';
import { DEFAULT_ENGINE } from '../../shared/engine.ts';
import { readmeTable } from '../helpers/readme.ts';
import { attack, type Targets } from './attacker.ts';

const FIRST_USER_ID = 61_184;
const isRoot = process.getuid?.() === 0;

/** The levels that this machine has, and why it has not the others. */
const detected = await Promise.all(
  LEVELS.map((level) => detectLauncher(level, FIRST_USER_ID).catch((error: Error) => error.message)),
);

const TABLE = readmeTable('| who has broken out tries to | JavaScript | `process` | `user` | `namespaced` |');

/** `JavaScript` is who got out of the isolate and no further, at the lowest level: Node still asks its permissions. */
const COLUMNS: [name: string, level: Level, isNative: boolean][] = [
  ['JavaScript', 'process', false],
  ...LEVELS.map((level): [string, Level, boolean] => [level, level, true]),
];

describe('an escaped attacker', () => {
  test.for(COLUMNS)('%s: is stopped where the README says so', async ([name, level, isNative], context) => {
    const launcher = available(level, context);
    await using victim = await startVictim(launcher);
    const results = await run(launcher, isNative ? [] : sandboxFlags(DEFAULT_ENGINE), victim.targets);
    const column = 1 + COLUMNS.findIndex(([other]) => other === name);
    const expected = TABLE.map((row) => [row[0], expectation(row[column] as string)]);
    const got = Object.entries(results).map(([attempt, outcome]) => [
      attempt,
      outcome === true ? 'open' : 'stopped',
    ]);
    expect(got).toEqual(expected);
  });

  test('has no socket to connect at all behind the seccomp filter', async (context) => {
    const launcher = available('namespaced', context);
    await using victim = await startVictim(launcher);
    const results = await run(launcher, [], victim.targets);
    expect(results['connect to Redis']).toBe('EPERM');
  });
});

function expectation(cell: string): string {
  if (cell === 'open, unless the runner is root') return isRoot ? 'stopped' : 'open';
  return cell;
}

/** Skips the test, saying why, on a machine that has not this level. */
function available(level: Level, { skip }: TestContext): Launcher {
  const found = detected[LEVELS.indexOf(level)];
  if (typeof found === 'string' || found === undefined) return skip(found);
  return found.launcher;
}

/** Node with the attacker's code where a sandbox would be; what it achieved comes through the pipe. */
async function run(launcher: Launcher, flags: readonly string[], targets: Targets) {
  const code = `(${attack.toString()})(${JSON.stringify(targets)})
    .then((results) => process.getBuiltinModule('node:fs').writeSync(3, JSON.stringify(results)))
    .then(() => process.exit())`;
  const launch = launcher.node([...flags, '--eval', code]);
  const child = spawnSandbox(launch);
  const [said, complaint] = await Promise.all([
    text(child.stdio[3] as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
  ]);
  if (said === '') throw new Error(`the attacker said nothing: ${complaint}`);
  return JSON.parse(said) as Awaited<ReturnType<typeof attack>>;
}

/** What the attacker would like to have: files, services, and a sandbox beside it. */
async function startVictim(launcher: Launcher): Promise<{ targets: Targets } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'lc500-victim-'));
  const path = (name: string): string => join(directory, name);
  await writeFile(path('private'), 'secret', { mode: 0o600 });
  await writeFile(path('public'), 'known', { mode: 0o644 });
  await writeFile(path('deletable'), '');
  await writeFile(path('writable'), '');
  await chmod(directory, 0o755);
  await chmod(path('writable'), 0o666);
  const launch: Launch = launcher.sandbox(8);
  const sandbox = spawnSandbox(launch);
  const pipe = sandbox.stdio[3] as Duplex;
  pipe.write(launcher.greeting);
  await once(pipe, 'data');
  const { REDIS_URL, AWS_ENDPOINT } = inject('services');
  return {
    targets: {
      runner: process.pid,
      otherSandbox: sandboxLine(sandbox.pid, launch).at(-1) as number,
      privateFile: path('private'),
      publicFile: path('public'),
      deletableFile: path('deletable'),
      writableFile: path('writable'),
      redisPort: Number(new URL(REDIS_URL).port),
      storagePort: Number(new URL(AWS_ENDPOINT).port),
    },
    async [Symbol.asyncDispose]() {
      const ended = once(sandbox, 'exit');
      sandbox.kill('SIGKILL');
      await ended;
      await rm(directory, { recursive: true });
    },
  };
}
