import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HANG, NONE, startFaultyProxy, type Fault, type FaultyProxy } from '../helpers/faulty-proxy.ts';
import { startSystem, type System } from '../helpers/system.ts';

const SHOW = `setBody(JSON.stringify({
  status: readResponseStatusCode(), type: readResponseHeader('content-type'), headers: readResponseHeaders(),
  body: readResponseBody(), bytes: Array.from(readResponseBodyBytes()) }))`;

describe('by HTTP', () => {
  let system: System;
  let server: Server;
  let proxy: FaultyProxy;
  let asked: { message: IncomingMessage; body: Buffer }[] = [];
  let reply: { status: number; headers: string[]; body: Buffer; delayMs?: number };

  beforeAll(async () => {
    server = createServer((message, res) => {
      buffer(message).then(
        (body) => {
          asked.push({ message, body });
          const { status, headers, body: answer, delayMs = 0 } = reply;
          setTimeout(() => res.writeHead(status, headers).end(answer), delayMs);
        },
        () => res.destroy(),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    proxy = await startFaultyProxy(`http://127.0.0.1:${port}`);
    system = await startSystem({
      env: {
        BLUEPRINT_TARGET: `127.0.0.1:${proxy.port}`,
        UPSTREAM_TIMEOUT_MS: '500',
        MAX_RESPONSE_BYTES: '100000',
      },
    });
    await system.deploy('show.example', SHOW);
  });
  afterEach(() => {
    asked = [];
    proxy.always(NONE);
    proxy.forget();
  });
  afterAll(async () => {
    await system[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    server.close();
    server.closeAllConnections();
  });

  const show = (options = {}) => system.request({ hostname: 'show.example', ...options });

  test('status, headers and body are what the script reads', async () => {
    const body = Buffer.from([0, 255, 226, 130, 172]);
    reply = { status: 404, headers: ['content-type', 'a/b', 'X-One', '1', 'x-one', '2'], body };
    expect((await show()).json()).toMatchObject({
      status: 404,
      type: ['a/b'],
      headers: { 'Content-Type': ['a/b'], 'X-One': ['1', '2'] },
      body: '\0\ufffd€',
      bytes: [...body],
    });
  });

  test('the request is repeated in proxy form', async () => {
    reply = { status: 200, headers: [], body: Buffer.from('') };
    const headers = [
      ['X-Mixed', '1'],
      ['x-mixed', '2'],
      ['Connection', 'keep-alive, X-Hop'],
      ['X-Hop', 'no'],
      ['Cookie', 'a=b'],
    ];
    await show({ method: 'PUT', path: '/a/b?x=%20', headers, body: Buffer.from([1, 2, 255]) });
    const [{ message, body } = { message: undefined, body: undefined }] = asked;
    expect(message?.url).toBe('http://show.example/a/b?x=%20');
    expect(message?.method).toBe('PUT');
    expect(message?.headers).toMatchObject({ host: 'show.example', 'x-mixed': '1, 2', cookie: 'a=b' });
    expect(message?.headers['x-hop']).toBeUndefined();
    expect(body).toEqual(Buffer.from([1, 2, 255]));
  });

  test('a redirect is a blueprint, not followed', async () => {
    reply = { status: 302, headers: ['Location', 'http://elsewhere.example/'], body: Buffer.from('') };
    expect((await show()).json()).toMatchObject({
      status: 302,
      headers: { Location: ['http://elsewhere.example/'] },
    });
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['too slow', { status: 200, headers: [], body: Buffer.from(''), delayMs: 1500 }],
    ['too large', { status: 200, headers: [], body: Buffer.alloc(200_000) }],
  ])('a server that is %s is blueprint_unavailable', async (_what, given) => {
    reply = given;
    const answer = await show();
    expect(answer.json()).toMatchObject({ code: 'blueprint_unavailable' });
    expect(answer.header('retry-after')).toBe('1');
  });

  test.each<[string, string, Fault, number]>([
    ['GET', 'cut off', { kind: 'cut' }, 3],
    ['GET', 'too slow in its body', { kind: 'stall' }, 1],
    ['POST', 'cut off', { kind: 'cut' }, 1],
    ['POST', 'too slow', HANG, 1],
    ['POST', 'lost with its connection', { kind: 'reset' }, 1],
  ])('%s: an answer that is %s is blueprint_unavailable', async (method, _what, fault, times) => {
    reply = { status: 200, headers: [], body: Buffer.from('some bytes') };
    proxy.always(fault);
    const answer = await show({ method });
    expect(answer.json()).toMatchObject({ code: 'blueprint_unavailable' });
    expect(proxy.asked).toHaveLength(times);
  });

  test('a connection that breaks once is not seen', async () => {
    reply = { status: 200, headers: [], body: Buffer.from('some bytes') };
    proxy.next({ kind: 'reset' });
    expect((await show()).json()).toMatchObject({ status: 200, body: 'some bytes' });
    expect(proxy.asked).toHaveLength(2);
  });

  test('no script: the answer does not wait for the blueprint', async () => {
    reply = { status: 200, headers: [], body: Buffer.from(''), delayMs: 400 };
    expect((await system.request({ hostname: 'nobody.example' })).status).toBe(404);
  });
});

describe('from the bucket', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ env: { BLUEPRINT_TARGET: 's3' } });
  });
  afterAll(() => system[Symbol.asyncDispose]());

  test.each([
    [
      'shaped',
      '{"status":201,"headers":[["X-A","1"]],"body":"text"}',
      { status: 201, headers: { 'X-A': ['1'] }, body: 'text' },
    ],
    ['other', '{"title":"ü"}', { status: 200, headers: {}, body: '{"title":"ü"}' }],
    ['absent', undefined, { status: 200, headers: {}, body: '' }],
  ])('%s', async (name, object, expected) => {
    const hostname = `${name}.example`;
    await system.deploy(hostname, SHOW);
    if (object) await system.putObject(`${hostname}/blueprint.json`, object);
    expect((await system.request({ hostname })).json()).toMatchObject(expected);
  });

  test('what is not JSON is blueprint_unavailable', async () => {
    await system.deploy('damaged.example', SHOW);
    await system.putObject('damaged.example/blueprint.json', '{"half":');
    const answer = await system.request({ hostname: 'damaged.example' });
    expect(answer.json()).toMatchObject({ code: 'blueprint_unavailable' });
  });
});

test('a server that is down is blueprint_unavailable', async () => {
  await using system = await startSystem({ env: { BLUEPRINT_TARGET: '127.0.0.1:1' } });
  await system.deploy('show.example', SHOW);
  const answer = await system.request({ hostname: 'show.example' });
  expect(answer.json()).toMatchObject({ code: 'blueprint_unavailable' });
  expect(answer.text).not.toContain('127.0.0.1');
});
