import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer, type AddressInfo, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDevState } from '../../scripts/dev-state.ts';
import { runCli, type CliSurroundings } from '../helpers/cli.ts';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: readonly string[];
  readonly body: string;
}

const BODY = Buffer.from([0x00, 0xff, 0x0a, 0x61]);

let folder: string;
let gateway: Server;
let origin: string;
let received: Received | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc500-invoke-'));
  gateway = createServer((request, response) => void respond(request, response));
  origin = await listen(gateway);
});

afterAll(async () => {
  gateway.closeAllConnections();
  gateway.close();
  await rm(folder, { recursive: true });
});

const HEADERS = [
  ['X-Mixed-CASE', 'a'],
  ['Set-Cookie', 'a=1'],
  ['X-Latin', 'caf\u00e9'],
  ['Set-Cookie', 'b=2'],
  ['Server-Timing', 'queue;dur=1.5, isolate;dur=0.4;desc="a, b; c"'],
  ['Server-Timing', 'total;dur=3, miss'],
  ['X-Request-Id', 'request-1'],
];

/** Keeps what it got, and answers with the status that the URL asks for. */
async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, rawHeaders: headers } = request;
  received = { method, url, headers, body: (await buffer(request)).toString('latin1') };
  response.sendDate = false;
  response.writeHead(Number(/status=(\d+)/.exec(url ?? '')?.[1] ?? 200), HEADERS.flat());
  response.end(BODY);
}

async function listen(server: NetServer): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function invoke(args: readonly string[], given?: CliSurroundings) {
  received = undefined;
  const result = await runCli(['invoke', '--gateway', origin, ...args], { cwd: folder, ...given });
  return { ...result, received: received as Received | undefined };
}

/** Values of a header of `[n, v, n, v, …]`. */
function values(headers: readonly string[], name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === name);
}

describe('the request', () => {
  test('is a GET of / with the hostname as Host', async () => {
    const { code, received: request } = await invoke(['--hostname', 'My.LOCALHOST']);
    expect(code).toBe(0);
    expect(request).toMatchObject({ method: 'GET', url: '/', body: '' });
    expect(values(request?.headers ?? [], 'Host')).toEqual(['my.localhost']);
  });

  test('carries method, path and headers as given', async () => {
    const headers = ['X-One: 1', 'x-One:2', 'Host: Other.example', 'Empty:', 'Accept: text/plain'];
    const { received: request } = await invoke(
      ['--hostname', 'my.localhost', '--method', 'patch', '--path', '/a%20b?x=1&y=[]'].concat(
        headers.flatMap((header) => ['--header', header]),
      ),
    );
    expect(request).toMatchObject({ method: 'PATCH', url: '/a%20b?x=1&y=[]' });
    const names = ['X-One', 'x-One', 'Host', 'Empty', 'Accept', 'Content-Length', 'Transfer-Encoding'];
    expect(names.map((name) => values(request?.headers ?? [], name))).toEqual([
      ['1'],
      ['2'],
      ['Other.example'],
      [''],
      ['text/plain'],
      ['0'],
      [],
    ]);
  });

  test.for([
    ['text', ['--data', 'été'], '', 'POST', Buffer.from('été').toString('latin1')],
    ['an empty text', ['--data', ''], '', 'POST', ''],
    ['a file', ['--data', '@data.bin', '--method', 'PUT'], '', 'PUT', '\0\xff'],
    ['standard input', ['--data', '@-'], 'from stdin', 'POST', 'from stdin'],
    ['chunks when asked for', ['--data', 'x', '--header', 'Transfer-Encoding: chunked'], '', 'POST', 'x'],
  ] as const)('carries as its body %s', async ([, args, input, method, body]) => {
    await writeFile(join(folder, 'data.bin'), Buffer.from([0x00, 0xff]));
    const { received: request } = await invoke(['--hostname', 'my.localhost', ...args], { input });
    expect(request).toMatchObject({ method, body });
    const chunked = args.some((arg) => arg.startsWith('Transfer-Encoding'));
    expect(values(request?.headers ?? [], 'Content-Length')).toEqual(chunked ? [] : [String(body.length)]);
  });
});

describe('the answer', () => {
  test('is printed as received, the times beside it', async () => {
    const { bytes, stderr } = await invoke(['--hostname', 'my.localhost', '--path', '/?status=201']);
    const text = bytes.toString('latin1');
    expect(text).toMatch(
      /^HTTP\/1\.1 201 Created\nX-Mixed-CASE: a\nSet-Cookie: a=1\nX-Latin: caf\u00e9\nSet-Cookie: b=2\nServer-Timing: queue/,
    );
    expect(text.split('\n\n')[1]).toBe(BODY.toString('latin1'));
    expect(stderr).toMatch(/^total: [\d.]+ ms, measured here$/m);
    expect(stderr).toMatch(/^Server-Timing: queue 1\.5 ms, isolate 0\.4 ms \(a, b; c\), total 3 ms, miss$/m);
    expect(stderr).toMatch(/^X-Request-Id: request-1$/m);
  });

  test('is one JSON object with --json', async () => {
    const { stdout, stderr } = await invoke(['--hostname', 'my.localhost', '--json']);
    expect(stderr).toBe('');
    const answer = JSON.parse(stdout) as { headers: unknown[] };
    expect(answer).toMatchObject({
      status: 200,
      statusText: 'OK',
      body: { encoding: 'base64', data: BODY.toString('base64') },
      requestId: 'request-1',
      timings: {
        total: expect.any(Number) as number,
        server: [
          { name: 'queue', dur: 1.5 },
          { name: 'isolate', dur: 0.4, desc: 'a, b; c' },
          { name: 'total', dur: 3 },
          { name: 'miss' },
        ],
      },
    });
    expect(answer.headers.slice(0, 2)).toEqual([
      ['X-Mixed-CASE', 'a'],
      ['Set-Cookie', 'a=1'],
    ]);
  });

  test('to HEAD has no body', async () => {
    const { code, stdout } = await invoke(['--hostname', 'my.localhost', '--method', 'HEAD']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n\n$/);
  });

  test.for([
    [204, 0],
    [302, 0],
    [399, 0],
    [400, 1],
    [503, 1],
  ] as const)('with status %i makes the exit code %i', async ([status, expected]) => {
    const args = ['--hostname', 'my.localhost', '--path', `/?status=${status}`];
    const { code, stdout } = await invoke(args);
    expect(code).toBe(expected);
    expect(stdout).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`));
  });
});

describe('a gateway that fails', () => {
  test('is named when it is not there', async () => {
    const { code, stdout, stderr } = await invoke([
      '--hostname',
      'a.example',
      '--gateway',
      'http://127.0.0.1:1',
    ]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'lc500: cannot reach the gateway at http://127.0.0.1:1 (ECONNREFUSED); start one with: npm run dev\n',
    });
  });

  test.for([
    ['not HTTP', 'hello\r\n\r\n'],
    ['cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'],
  ] as const)('is named when its answer is %s', async ([, bytes]) => {
    const server = createTcpServer((socket) => socket.once('data', () => socket.end(bytes)));
    const own = await listen(server);
    const { code, stdout, stderr } = await invoke(['--hostname', 'a.example', '--gateway', own]);
    server.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^lc500: the gateway at http:\S+ gave no complete HTTP answer: .*\n$/);
  });

  test('is heard when it answers before it has read the whole body', async () => {
    // Reads on after its answer, as the gateway does: closing at once would reset the connection.
    const server = createServer((request, response) => {
      response.writeHead(413, { connection: 'close' }).write('too large');
      request.resume().once('end', () => response.end());
    });
    const own = await listen(server);
    const input = Buffer.alloc(20_000_000);
    const { code, stdout } = await invoke(['--hostname', 'a.example', '--gateway', own, '--data', '@-'], {
      input,
    });
    server.close();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^HTTP\/1\.1 413 .*too large$/s);
  });
});

test("the gateway of this folder's dev is the default", async () => {
  const cwd = await mkdtemp(join(folder, 'dev-'));
  await writeDevState({ env: {}, gateway: origin }, cwd);
  const { code, stdout } = await runCli(['invoke', '--hostname', 'my.localhost'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\n/);
});

test.for([
  ['--method', 'GET /'],
  ['--method', 'CONNECT'],
  ['--path', 'no-slash'],
  ['--path', '/a b'],
  ['--header', 'no colon'],
  ['--header', 'Bad Name: x'],
  ['--header', 'X: a\r\nb'],
  ['--gateway', 'http://127.0.0.1/path'],
  ['--gateway', 'ftp://127.0.0.1'],
] as const)('%s %j is a wrong call', async ([option, value]) => {
  const {
    code,
    stdout,
    stderr,
    received: request,
  } = await invoke(['--hostname', 'a.example', option, value]);
  expect({ code, stdout, request }).toEqual({ code: 2, stdout: '', request: undefined });
  expect(stderr).toContain(`lc500: option '${option}`);
});
