import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdminClient } from '../../scripts/cli/admin-client.ts';
import { CliError } from '../../scripts/cli/errors.ts';
import { writeDevState } from '../../scripts/dev-state.ts';
import { runCli } from '../helpers/cli.ts';

/** What the server answers to everything, and what it was asked last. */
let answer: { status: number; body: string };
let asked: { method: string; url: string; token: string };
let server: Server;
let origin: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc500-admin-'));
  server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    asked = { method, url, token: headers.authorization ?? '' };
    request.resume();
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function problem(status: number, code: string, detail?: string): typeof answer {
  const body = { type: 'about:blank', title: 'A title', status, code, ...(detail ? { detail } : {}) };
  return { status, body: JSON.stringify(body) };
}

const ID = '-1StGXR8_Z5jdHi6B-myT';
const NO_PROBLEM = { status: 404, body: 'Not Found' };

describe('a refusal says what to do', () => {
  test.for([
    ['401', problem(401, 'unauthorized'), /does not accept the token; .*ADMIN_TOKEN/],
    ['404', problem(404, 'not_found'), /-1StGXR8_.*there is none.*invocations list/],
    ['404 of something else', NO_PROBLEM, /keeps no invocations: .*no ADMIN_TOKEN/],
    ['409', problem(409, 'still_running', 'it runs'), /it runs; .*--again/],
    ['410', problem(410, 'script_version_gone', 'it is gone'), /it is gone; .*--script current/],
    ['410 of the blueprint', problem(410, 'blueprint_gone'), /A title; .*--blueprint fresh/],
    ['422', problem(422, 'unsafe_method'), /A title; .*--unsafe/],
    ['503', problem(503, 'queue_unavailable'), /refused invocation .*: A title \(HTTP 503\)/],
    ['garbage', { status: 202, body: '[]' }, /in a form that is not known here/],
    ['no JSON', { status: 202, body: '<html>' }, /in a form that is not known here/],
  ] as const)('%s', async ([, given, message]) => {
    answer = given;
    const client = new AdminClient({ url: new URL(origin), token: 't', unreachableHint: '' });
    const refused = client.replay(ID, { script: 'original', blueprint: 'original' });
    await expect(refused).rejects.toThrow(CliError);
    await expect(refused).rejects.toThrow(message);
    expect(asked.token).toBe('Bearer t');
  });

  test('unreachable', async () => {
    const url = await freeAddress();
    const { code, stderr } = await runCli(['invocations', 'list', '--admin', url, '--token', 't'], {
      cwd: folder,
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `lc500: cannot reach the admin interface at ${url} (ECONNREFUSED); ` +
        'check its address, and that its gateway runs with ADMIN_PORT\n',
    );
  });
});

/** Where nobody listens. */
async function freeAddress(): Promise<string> {
  const brief = createServer();
  await new Promise<void>((resolve) => void brief.listen(0, '127.0.0.1', resolve));
  const { port } = brief.address() as AddressInfo;
  await new Promise((resolve) => void brief.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describe('where the admin interface is', () => {
  const EMPTY = { status: 200, body: '{"invocations":[]}' };

  test('is in the environment', async () => {
    answer = EMPTY;
    const env = { LC500_ADMIN: origin, ADMIN_TOKEN: 'from-env' };
    const { code, stderr } = await runCli(['invocations', 'list'], { env, cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'no kept invocation is like that\n' });
    expect(asked).toMatchObject({ url: '/invocations?limit=50', token: 'Bearer from-env' });
  });

  test("is that of this folder's dev, whose token goes before that of the environment", async () => {
    answer = EMPTY;
    const cwd = await mkdtemp(join(folder, 'dev-'));
    const admin = { url: origin, token: 'of-dev' };
    await writeDevState({ env: {}, gateway: 'http://127.0.0.1:1', admin }, cwd);
    const env = { ADMIN_TOKEN: 'of-another-deployment' };
    expect((await runCli(['invocations', 'list'], { env, cwd })).code).toBe(0);
    expect(asked.token).toBe('Bearer of-dev');
  });

  test.for([
    [{}, [], /no admin interface is known: .*LC500_ADMIN and ADMIN_TOKEN/],
    [{ ADMIN_TOKEN: 'x' }, [], /no admin interface is known/],
    [{ LC500_ADMIN: 'http://127.0.0.1:1' }, [], /needs a token: set ADMIN_TOKEN/],
    [{}, ['--admin', 'http://127.0.0.1:1'], /needs a token/],
    [{ LC500_ADMIN: 'here' }, [], /LC500_ADMIN="here": Expected a URL/],
  ] as const)('must be known: %j %j', async ([env, args, message]) => {
    const { code, stderr } = await runCli(['invocations', 'list', ...args], { env: { ...env }, cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

test('every filter of the list is passed on', async () => {
  answer = { status: 200, body: '{"invocations":[]}' };
  const sha = 'a'.repeat(64);
  await runCli(
    `invocations list --hostname My.Localhost --code script_error --state failed --since 2026-01-01 --until 2026-01-02
     --script ${sha} --replay ${ID} --limit 7 --admin ${origin} --token t`.split(/\s+/),
    { cwd: folder },
  );
  expect(Object.fromEntries(new URL(asked.url, origin).searchParams)).toEqual({
    tenant: 'my.localhost',
    code: 'script_error',
    state: 'failed',
    since: '2026-01-01T00:00:00.000Z',
    until: '2026-01-02T00:00:00.000Z',
    script: sha,
    run: ID,
    limit: '7',
  });
});

test('an id that begins with a dash is an id', async () => {
  answer = { status: 204, body: '' };
  const args = ['invocations', 'delete', ID, '--admin', origin, '--token', 't'];
  expect(await runCli(args, { cwd: folder })).toMatchObject({ code: 0, stdout: `deleted ${ID}\n` });
  expect(asked).toMatchObject({ method: 'DELETE', url: `/invocations/${ID}` });
});
