import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBlueprintClient, type BlueprintClient } from '../../runner/blueprint-http.ts';
import { HANG, NONE, startFaultyProxy, type Fault, type FaultyProxy } from '../helpers/faulty-proxy.ts';

const BODY = 'the blueprint';
const BUSY: Fault = { kind: 'answer', status: 503, body: 'busy' };
const BROKEN: [string, Fault][] = [
  ['a connection that breaks', { kind: 'reset' }],
  ['an answer cut off', { kind: 'cut' }],
];
const NEVER = new AbortController().signal;

let server: Server;
let proxy: FaultyProxy;
let client: BlueprintClient;
beforeAll(async () => {
  server = createServer((_, res) => void res.end(BODY)).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());
beforeEach(async () => {
  proxy = await startFaultyProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client = createBlueprintClient(proxy.url, { UPSTREAM_TIMEOUT_MS: 500, MAX_RESPONSE_BYTES: 1000 });
});
afterEach(async () => {
  await client.close();
  await proxy[Symbol.asyncDispose]();
});

async function ask(method: string, signal = NEVER): Promise<[number, string]> {
  const request = { method, url: '/', headers: [], body: Buffer.from(method === 'GET' ? '' : 'body') };
  const { status, body } = await client.ask(request, 'http://a.example/', signal);
  return [status, body.toString()];
}

test.each([...BROKEN, ['a server that is busy', BUSY] as const])(
  'GET: %s is made good by asking again',
  async (_what, fault) => {
    proxy.next(fault);
    expect(await ask('GET')).toEqual([200, BODY]);
    expect(proxy.asked).toHaveLength(2);
  },
);

test.each(BROKEN)('GET: %s each time is an error after three', async (_what, fault) => {
  proxy.always(fault);
  await expect(ask('GET')).rejects.toBeInstanceOf(Error);
  expect(proxy.asked).toHaveLength(3);
});

test('a 503 that stays is the blueprint', async () => {
  proxy.always(BUSY);
  expect(await ask('GET')).toEqual([503, 'busy']);
  expect(proxy.asked).toHaveLength(3);
});

test('a 503 that says when to come back is taken at its word', async () => {
  proxy.always({
    kind: 'change',
    change(answer) {
      answer.status = 503;
      answer.headers['retry-after'] = '10';
    },
  });
  expect(await ask('GET')).toEqual([503, BODY]);
  expect(proxy.asked).toHaveLength(1);
});

describe.each(['POST', 'PATCH'])('%s is never asked twice', (method) => {
  test.each(BROKEN)('after %s', async (_what, fault) => {
    proxy.next(fault);
    await expect(ask(method)).rejects.toBeInstanceOf(Error);
    expect(proxy.asked).toHaveLength(1);
  });

  test('after a 503', async () => {
    proxy.next(BUSY);
    expect(await ask(method)).toEqual([503, 'busy']);
    expect(proxy.asked).toHaveLength(1);
  });

  test('on a connection that served before', async () => {
    expect(await ask(method)).toEqual([200, BODY]);
    proxy.next({ kind: 'reset' });
    await expect(ask(method)).rejects.toBeInstanceOf(Error);
    expect(proxy.asked).toHaveLength(2);
  });
});

test('POST: a server that cannot be reached has not been asked, so it is tried again', async () => {
  await proxy.refuse();
  const answer = ask('POST');
  await sleep(20);
  await proxy.accept();
  expect(await answer).toEqual([200, BODY]);
  expect(proxy.asked).toHaveLength(1);
});

test.each<[string, Fault]>([
  ['headers are', HANG],
  ['a body is', { kind: 'stall' }],
])('%s too slow: an error, and not asked for again', async (_what, fault) => {
  proxy.always(fault);
  await expect(ask('GET')).rejects.toBeInstanceOf(Error);
  expect(proxy.asked).toHaveLength(1);
});

test('a body over the limit is an error', async () => {
  proxy.always({ kind: 'answer', status: 200, body: 'x'.repeat(1001) });
  await expect(ask('GET')).rejects.toThrow('more than 1000 bytes');
});

test('nothing is tried after the end of the invocation', async () => {
  const end = new AbortController();
  const reason = new Error('over');
  proxy.always({
    kind: 'change',
    change() {
      setImmediate(() => end.abort(reason));
      throw new Error('breaks the connection');
    },
  });
  await expect(ask('GET', end.signal)).rejects.toBe(reason);
  proxy.always(NONE);
  expect(await ask('GET')).toEqual([200, BODY]);
  expect(proxy.asked).toHaveLength(2);
});
