import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDevState } from '../../scripts/dev-state.ts';
import { runCli } from '../helpers/cli.ts';
import { startTestS3, type TestS3 } from '../helpers/s3.ts';

let folder: string;
let storage: TestS3;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc500-cli-'));
  storage = await startTestS3();
});

afterAll(async () => {
  await storage[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('a storage that fails', () => {
  const commands = [
    ['list'],
    ['get', '--hostname', 'a.example'],
    ['remove', '--hostname', 'a.example'],
    ['push', '--hostname', 'a.example', '--file', '-'],
  ];
  const failures = [
    [
      'is not there',
      { AWS_ENDPOINT: 'http://127.0.0.1:1' },
      /cannot reach bucket scripts at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\); check AWS_ENDPOINT/,
    ],
    ['has no such bucket', { AWS_BUCKET: 'other' }, /bucket other at http:\S+ there is no bucket other/],
    [
      'denies access',
      { AWS_ACCESS_KEY_ID: 'NOBODY', AWS_SECRET_ACCESS_KEY: 'hidden-secret' },
      /bucket scripts at http:\S+ access denied \((InvalidAccessKeyId|Forbidden)\)/,
    ],
  ] as const;

  test.for(
    failures.flatMap((failure) => commands.map((args) => [failure[0], args[0], failure, args] as const)),
  )('%s: %s says so in a line', async ([, , [, changed, message], args]) => {
    const env = { ...storage.env, ...changed };
    const { code, stdout, stderr } = await runCli(['script', ...args], { env, input: 'setBody("x")' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^lc500: [^\n]*\n$/);
    expect(stderr).not.toMatch(/hidden-secret|S3RVER|NOBODY/);
  });

  test('a bucket that is not named is asked for', async () => {
    const { code, stderr } = await runCli(['script', 'list'], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain('AWS_BUCKET is not set: expected the name of a bucket');
    expect(stderr).toContain('npm run dev');
  });
});

describe('beside a running dev', () => {
  const gateway = 'http://127.0.0.1:8080';

  test('its storage is used when the environment names none', async () => {
    const cwd = await mkdtemp(join(folder, 'dev-'));
    await writeDevState({ env: storage.env, gateway }, cwd);
    const push = ['script', 'push', '--hostname', 'dev.example', '--file', '-'];
    expect((await runCli(push, { cwd, input: 'setBody("dev")' })).code).toBe(0);
    expect((await runCli(['script', 'get', '--hostname', 'dev.example'], { cwd })).stdout).toBe(
      'setBody("dev")',
    );
    const env = { AWS_ENDPOINT: 'http://127.0.0.1:1', AWS_BUCKET: 'own' };
    expect((await runCli(['script', 'list'], { cwd, env })).stderr).toContain(
      'bucket own at http://127.0.0.1:1',
    );
  });

  test('what a killed one left behind is named', async () => {
    const cwd = await mkdtemp(join(folder, 'stale-'));
    await writeDevState({ env: { ...storage.env, AWS_ENDPOINT: 'http://127.0.0.1:1' }, gateway }, cwd);
    const { code, stderr } = await runCli(['script', 'list'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /cannot reach .* that address is from \.lc500\/dev\.json: start npm run dev again/,
    );
  });

  test('a damaged state is named', async () => {
    const cwd = await mkdtemp(join(folder, 'damaged-'));
    await mkdir(join(cwd, '.lc500'));
    await writeFile(join(cwd, '.lc500/dev.json'), '{"env":{');
    const { code, stderr } = await runCli(['script', 'list'], { cwd });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'lc500: .lc500/dev.json is damaged; remove it, or start npm run dev again\n',
    });
  });
});
