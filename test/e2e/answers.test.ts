import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSystem, type System } from '../helpers/system.ts';

const ECHO = `
  setHeader('Content-Type', readRequestHeader('Content-Type') ?? 'none');
  setBody(readRequestBodyBytes());`;

/** Every byte value, in an order that is not valid UTF-8, behind a PNG's signature. */
const PNG = Buffer.concat([
  Buffer.from('89504e470d0a1a0a', 'hex'),
  Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 167 + (i >> 8)) & 255)),
]);

let system: System;
beforeAll(async () => {
  system = await startSystem({ env: { MAX_REQUEST_BYTES: '1048576', MAX_RESPONSE_BYTES: '2097152' } });
  await system.deploy('echo.example', ECHO);
});
afterAll(() => system[Symbol.asyncDispose]());

describe('bodies', () => {
  test('bytes come back bit for bit', async () => {
    const answer = await system.request({
      hostname: 'echo.example',
      method: 'POST',
      headers: [['Content-Type', 'image/png']],
      body: PNG,
    });
    expect(answer.header('content-type')).toBe('image/png');
    expect(answer.body.equals(PNG)).toBe(true);
  });

  test('a body as large as allowed passes, one byte more is refused', async () => {
    const send = (size: number) =>
      system.request({ hostname: 'echo.example', method: 'POST', body: Buffer.alloc(size, 200) });
    expect((await send(1_048_576)).body.length).toBe(1_048_576);
    const refused = await send(1_048_577);
    expect(refused.status).toBe(413);
    expect(refused.json()).toMatchObject({ code: 'request_too_large' });
  });

  test('a chunked body over the limit is refused while it arrives', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('POST / HTTP/1.1\r\nHost: echo.example\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);
      // Far more than the limit: the answer has to come before the end.
      for (let i = 0; i < 200; i++) yield chunk;
    }
    const answer = await system.raw(endless(), 10_000);
    expect(answer.status).toBe(413);
    expect(answer.header('connection')).toBe('close');
    expect(answer.closed).toBe(true);
  });

  test('a body that is announced as too large is refused before it is sent', async () => {
    const answer = await system.raw(
      'POST / HTTP/1.1\r\nHost: echo.example\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n',
    );
    expect(answer.status).toBe(413);
    expect(answer.received).not.toContain('100 Continue');
  });
});

describe('framing is the gateway’s', () => {
  test.each([
    [204, 'setStatus(204); setBody("body"); setHeader("Content-Length", "4")'],
    [304, 'setStatus(304); setBody("body"); setHeader("Content-Length", "4"); setHeader("ETag", "\\"a\\"")'],
  ])('%i has no body and no length', async (status, source) => {
    await system.deploy(`s${status}.example`, source);
    const answer = await system.raw(
      `GET / HTTP/1.1\r\nHost: s${status}.example\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.status).toBe(status);
    expect(answer.header('content-length')).toBeUndefined();
    expect(answer.header('transfer-encoding')).toBeUndefined();
    expect(answer.body.length).toBe(0);
  });

  test('HEAD tells the length and sends no body', async () => {
    await system.deploy('head.example', 'setBody(readRequestMethod() + "!!")');
    const answer = await system.raw('HEAD / HTTP/1.1\r\nHost: head.example\r\nConnection: close\r\n\r\n');
    expect(answer.header('content-length')).toBe('6');
    expect(answer.body.length).toBe(0);
  });

  test('OPTIONS reaches the script', async () => {
    await system.deploy('options.example', 'setStatus(204); setHeader("Allow", readRequestMethod())');
    const answer = await system.request({ hostname: 'options.example', method: 'OPTIONS' });
    expect([answer.status, answer.header('allow')]).toEqual([204, 'OPTIONS']);
  });

  test.each([
    ['Content-Length', '3'],
    ['Transfer-Encoding', 'gzip'],
    ['Connection', 'X-Secret'],
    ['Upgrade', 'websocket'],
    ['Trailer', 'X-After'],
    ['Keep-Alive', 'timeout=1'],
  ])('%s of a script is dropped', async (name, value) => {
    await system.deploy(
      'framing.example',
      `setHeader(${JSON.stringify(name)}, '${value}'); setBody('whole body')`,
    );
    const answer = await system.request({ hostname: 'framing.example' });
    expect(answer.text).toBe('whole body');
    expect(answer.header('content-length')).toBe('10');
    expect(answer.headers.filter(([field, given]) => field === name && given === value)).toEqual([]);
  });

  test('request id and timing are the gateway’s own', async () => {
    await system.deploy(
      'own.example',
      'setHeader("X-Request-Id", "mine"); addHeader("server-timing", "mine")',
    );
    const answer = await system.request({ hostname: 'own.example' });
    expect(answer.headers.filter(([name]) => name.toLowerCase() === 'x-request-id')).toHaveLength(1);
    expect(answer.header('x-request-id')).toMatch(/^[\w-]{21}$/);
    const timing = answer.header('server-timing') ?? '';
    for (const entry of ['queue', 'isolate', 'script', 'total'])
      expect(timing).toMatch(new RegExp(`\\b${entry};dur=\\d`));
  });

  test('a connection is used again', async () => {
    const once = 'GET / HTTP/1.1\r\nHost: head.example\r\n\r\n';
    const last = 'GET / HTTP/1.1\r\nHost: head.example\r\nConnection: close\r\n\r\n';
    const answer = await system.raw(once + once + last, 10_000);
    expect(answer.received.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  });
});
