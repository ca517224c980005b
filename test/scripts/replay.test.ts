import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLI } from '../helpers/cli.ts';
import { startOperatedSystem, type OperatedSystem } from '../helpers/operator.ts';
import { waitFor } from '../helpers/wait.ts';

const READS_ITEM = `setBody(JSON.parse(readResponseBody()).item.name)`;
const THROWS = `throw new Error('broken')`;

let operated: OperatedSystem;
beforeAll(async () => {
  operated = await startOperatedSystem();
});
afterAll(() => operated[Symbol.asyncDispose]());

/** Deploys a tenant's script and blueprint. */
async function deploy(
  hostname: string,
  script: string,
  blueprint = '{"item":{"name":"tea"}}',
): Promise<void> {
  await operated.system.deploy(hostname, script);
  await operated.system.putObject(`${hostname}/blueprint.json`, blueprint);
}

describe('the matrix', () => {
  test('on a failure that the blueprint caused names the blueprint', async () => {
    await deploy('data.localhost', READS_ITEM, '{"item":null}');
    const id = await operated.failed('data.localhost');
    await deploy('data.localhost', READS_ITEM);
    const { code, stdout } = await operated.lc500(`replay ${id} --matrix`);
    expect(stdout).toBe(
      [
        `${id} was: script_error 500`,
        '',
        '                 ORIGINAL BLUEPRINT  FRESH BLUEPRINT',
        'original script  script_error 500    answered 200',
        'current script   script_error 500    answered 200',
        '',
        'The blueprint makes the difference.',
        'The current script is the one that ran at first.',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
  });

  test('on a failure that the script caused names the script', async () => {
    await deploy('code.localhost', THROWS);
    const id = await operated.failed('code.localhost');
    await deploy('code.localhost', READS_ITEM);
    const { code, stdout } = await operated.lc500(`replay ${id} --matrix --json`);
    expect(code).toBe(0);
    const { verdict, combinations } = JSON.parse(stdout) as { verdict: string; combinations: object[] };
    expect(verdict).toBe('script');
    expect(combinations).toMatchObject([
      { script: 'original', blueprint: 'original', code: 'script_error' },
      { script: 'original', blueprint: 'fresh', code: 'script_error' },
      { script: 'current', blueprint: 'original', code: null, status: 200 },
      { script: 'current', blueprint: 'fresh', code: null, status: 200 },
    ]);
  });
});

test('one: it fails again, and with the current script it is answered', async () => {
  await deploy('one.localhost', THROWS);
  const id = await operated.failed('one.localhost');
  const again = await operated.lc500(`replay ${id}`);
  expect(again.code).toBe(1);
  expect(again.stdout).toMatch(/^script_error 500\n {2}Error: broken\n.*the same as before$/ms);
  await deploy('one.localhost', READS_ITEM);
  const mended = await operated.lc500(`replay ${id} --script current --json`);
  expect(mended.code).toBe(0);
  expect(JSON.parse(mended.stdout)).toMatchObject({
    code: null,
    status: 200,
    replayOf: { id, script: 'current', blueprint: 'original', comparison: { same: false } },
  });
});

test('a method that is not safe needs --unsafe', async () => {
  await deploy('unsafe.localhost', THROWS);
  const id = await operated.failed('unsafe.localhost', { method: 'POST', body: Buffer.from('x') });
  const refused = await operated.lc500(`replay ${id}`);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/POST .*add --unsafe/);
  expect((await operated.lc500(`replay ${id} --unsafe`)).stdout).toContain('the same as before');
});

describe('many', () => {
  const COMMAND = 'replay --failed --hostname many.localhost --code script_error --since 2h';

  test('are counted, replayed, and summed up', { timeout: 60_000 }, async () => {
    await deploy('many.localhost', `if (readRequestUrl() !== '/fine') throw new Error('broken')`);
    for (const path of ['/a', '/b', '/c']) await operated.failed('many.localhost', { path });
    await operated.failed('many.localhost', { method: 'POST', path: '/d', body: Buffer.from('x') });
    const dry = await operated.lc500(`${COMMAND} --dry-run`);
    expect(dry.stdout).toMatch(
      /^4 failed invocations match\n1 will be left out: unsafe_method\nAdd --unsafe/,
    );
    await operated.system.deploy(
      'many.localhost',
      `if (readRequestUrl() === '/c') throw new Error('broken')`,
    );

    const some = await operated.lc500(`${COMMAND} --script current --rate 50/s`);
    expect(some.code).toBe(1);
    expect(some.stderr).toMatch(/4\/4, 2 answered, 1 failed, 1 left out\n$/);
    expect(some.stdout).toMatch(/^OUTCOME +REPLAYS\nanswered +2\n/);
    const [, run] = /^npx lc500 (invocations list --replay \S+ --state failed)$/m.exec(some.stdout) ?? [];
    expect((await operated.lc500(run as string)).stdout).toMatch(/script_error +500 +GET \/c /);

    await operated.system.deploy('many.localhost', `setBody('fine')`);
    const all = await operated.lc500(`${COMMAND} --script current --unsafe --json`);
    expect(JSON.parse(all.stdout)).toMatchObject({ state: 'done', total: 4, succeeded: 4, failed: 0 });
    expect(all.code).toBe(0);
  });

  test('are stopped in the gateway by Ctrl-C', async () => {
    const { env, folder } = operated;
    const args = [CLI, ...COMMAND.split(' '), '--rate', '1/m', '--json'];
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', ...env },
    });
    child.stdin.end();
    let progress = '';
    child.stderr.on('data', (chunk: Buffer) => (progress += chunk.toString()));
    await waitFor('the start', () => progress.includes('/4,'));
    child.kill('SIGINT');
    const ended = new Promise<number | null>((resolve) => void child.on('close', resolve));
    const [stdout, code] = await Promise.all([text(child.stdout), ended]);
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'stopped', total: 4 });
  });

  test('are none', async () => {
    const none = await operated.lc500('replay --failed --hostname nobody.localhost');
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: '0 failed invocations match\n' });
  });
});
