import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSystem, type System } from '../helpers/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.deploy('example.com', 'setBody("example.com " + readRequestUrl())');
});
afterAll(() => system[Symbol.asyncDispose]());

const get = (head: string): Promise<{ status: number; text: string; json(): unknown }> =>
  system.raw(Buffer.from(`${head}\r\nConnection: close\r\n\r\n`));

test.each([
  ['another case', 'GET /a HTTP/1.1\r\nHost: EXAMPLE.com'],
  ['a trailing dot', 'GET /a HTTP/1.1\r\nHost: example.com.'],
  ['a port', 'GET /a HTTP/1.1\r\nHost: example.com:8080'],
  ['an ideographic full stop', 'GET /a HTTP/1.1\r\nHost: example。com'],
  ['absolute-form that agrees', 'GET http://example.com/a HTTP/1.1\r\nHost: example.com'],
  ['absolute-form with a port', 'GET http://Example.com:80/a HTTP/1.1\r\nHost: example.com'],
])('%s is one tenant', async (_what, head) => {
  expect((await get(head)).text).toBe('example.com /a');
});

test.each([
  ['no Host', 'GET / HTTP/1.1\r\nX-A: 1'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: example.com\r\nHost: example.com'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:'],
  ['a path', 'GET / HTTP/1.1\r\nHost: ../../other'],
  ['a user', 'GET / HTTP/1.1\r\nHost: a:80@evil'],
  ['a slash', 'GET / HTTP/1.1\r\nHost: example.com/index.js'],
  ['percent-encoding', 'GET / HTTP/1.1\r\nHost: example%2ecom'],
  ['absolute-form that disagrees', 'GET http://other.example/ HTTP/1.1\r\nHost: example.com'],
  ['absolute-form with a user', 'GET http://evil@example.com/ HTTP/1.1\r\nHost: example.com'],
])('%s is a bad_host', async (_what, head) => {
  const answer = await get(head);
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({ code: 'bad_host' });
});
