import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLI, runCli } from '../helpers/cli.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc500-cli-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('help and wrong calls', () => {
  test.for([
    [],
    ['script'],
    ['script', 'push'],
    ['script', 'list'],
    ['script', 'get'],
    ['script', 'remove'],
    ['invoke'],
    ['invocations', 'list'],
    ['invocations', 'show'],
    ['replay'],
  ])('%j --help has an example, the environment and the exit codes', async (command) => {
    const { code, stdout } = await runCli([...command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Examples?:\n {2}(npm|npx) .*^Environment:\n.*^Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /ms,
    );
    const place = { invoke: '--gateway', invocations: 'LC500_ADMIN', replay: 'LC500_ADMIN' }[
      command[0] ?? ''
    ];
    expect(stdout).toContain(place ?? 'AWS_BUCKET');
  });

  test('--version is that of package.json', async () => {
    const manifest = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as object;
    expect(await runCli(['--version'])).toMatchObject({
      code: 0,
      stdout: `${(manifest as { version: string }).version}\n`,
    });
  });

  test.for([
    [[], 'Usage: lc500'],
    [['script'], 'Usage: lc500 script'],
    [['deploy'], "lc500: unknown command 'deploy'"],
    [['script', 'list', '--colour'], "lc500: unknown option '--colour'"],
    [['script', 'list', 'more'], 'lc500: too many arguments'],
    [['script', 'push', '--file', 'x.js'], "lc500: required option '--hostname <hostname>' not specified"],
    [['script', 'get', '--hostname', 'a.example:80'], 'Expected a hostname without port'],
    [['script', 'get', '--hostname', '../other'], 'Expected a hostname without port'],
    [['invocations', 'show'], "missing required argument 'id'"],
    [['invocations', 'list', '--since', 'soon'], 'Expected a time ago'],
    [['replay'], 'expected either the id of an invocation, or --failed'],
    [['replay', 'a', '--failed'], 'expected either the id of an invocation, or --failed'],
    [['replay', 'a', '--dry-run'], '--dry-run goes with --failed'],
    [['replay', '--failed', '--matrix'], '--matrix and --again are for one invocation'],
    [['replay', 'a', '--matrix', '--script', 'current'], '--matrix chooses --script and --blueprint itself'],
  ] as const)('%j is a wrong call', async ([args, message]) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('started by a Node that is too old', () => {
  const nodeArgs = [
    '--import',
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.9.0"}})',
  ];

  test("it runs again with the project's own", async () => {
    const bin = await copyOfBin();
    const node = join(bin, '../../node_modules/node/bin/node');
    await writeFile(node, '#!/bin/sh\nshift\necho "$@"\ncat\nexit 7\n');
    await chmod(node, 0o755);
    const result = await runCli(['a', 'b c'], { bin, nodeArgs, input: 'in' });
    expect(result).toMatchObject({ code: 7, stdout: 'a b c\nin', stderr: '' });
  });

  test('without it, it says what is needed', async () => {
    const { code, stderr } = await runCli([], { bin: await copyOfBin(), nodeArgs });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lc500: needs Node 24 or newer.*npm ci.*\n$/);
  });
});

/** The bin in a project of its own. */
async function copyOfBin(): Promise<string> {
  const root = await mkdtemp(join(folder, 'old-'));
  await mkdir(join(root, 'scripts'));
  await mkdir(join(root, 'node_modules/node/bin'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  await copyFile(CLI, join(root, 'scripts/lc500.js'));
  return join(root, 'scripts/lc500.js');
}
