import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorKind, type ErrorCode } from '../../shared/errors.ts';
import type { Answer } from '../helpers/http.ts';
import { processTree } from '../helpers/process-tree.ts';
import { startSystem, type System } from '../helpers/system.ts';
import { waitFor } from '../helpers/wait.ts';

let system: System;
/** Gives scripts so much time that only their memory or a signal ends them, however busy the machine is. */
let patient: System;
beforeAll(async () => {
  [system, patient] = await Promise.all([
    startSystem({ env: { SCRIPT_TIMEOUT_MS: '400' } }),
    startSystem({ env: { SCRIPT_TIMEOUT_MS: '20000' } }),
  ]);
});
afterAll(() => Promise.all([system[Symbol.asyncDispose](), patient[Symbol.asyncDispose]()]));

function expectProblem(answer: Answer, code: ErrorCode): void {
  const { status, title, retryAfter } = errorKind(code);
  expect(answer.header('content-type')).toBe('application/problem+json');
  const requestId = answer.header('x-request-id');
  expect(answer.json()).toEqual({ type: `urn:lc500:error:${code}`, title, status, code, requestId });
  expect(answer.status).toBe(status);
  expect(answer.header('retry-after')).toBe(retryAfter === undefined ? undefined : String(retryAfter));
}

async function run(source: string): Promise<Answer> {
  await system.deploy('broken.example', source);
  return system.request({ hostname: 'broken.example' });
}

describe('the tenant’s errors', () => {
  test.each([
    ['throws', 'null.x'],
    ['throws what is no error', 'throw 5'],
    ['throws a symbol', 'throw Symbol("x")'],
    ['throws an object that cannot be read', 'throw { toString() { throw 1 } }'],
    ['does not compile', 'let a = ;'],
    ['is a module', 'export default 1'],
    ['recurses for ever', '(function f() { f() })()'],
    ['rejects without end', 'for (let i = 0; i < 1e5; i++) Promise.reject(1); throw 1'],
  ])('a script that %s is a script_error', async (_what, source) =>
    expectProblem(await run(source), 'script_error'),
  );

  test.each([
    ['for(;;){}'],
    ['throw { get message() { for (;;) {} } }'],
    ['/(a+)+$/.test("a".repeat(40) + "b")'],
    ['[3, 1, 2].sort(() => { for (;;) {} })'],
    ['setBody({ toString() { for (;;) {} } })'],
  ])('%s is a script_timeout', async (source) => expectProblem(await run(source), 'script_timeout'));

  test.each([
    ['const m = new Map(); for (let i = 0; ; i++) m.set(i, i)'],
    ['new Array(3e7).join("abcdefgh")'],
    ['const a = []; for (;;) a.push(new ArrayBuffer(1 << 20, { maxByteLength: 1 << 24 }))'],
    ['const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))'],
  ])('%s is a memory_limit', async (source) => {
    await patient.deploy('bomb.example', source);
    expectProblem(await patient.request({ hostname: 'bomb.example' }), 'memory_limit');
  });

  test.each([
    ...['99', '100', '101', '103', '600', '1000', 'NaN', '"abc"', '200.5'].map(
      (code) => `setStatus(${code})`,
    ),
    ...['a\\rb', 'a\\nb', 'a\\0b', '\\u010a'].map((value) => `setHeader('X-A', '${value}')`),
    'setHeader("a b", "1")',
    'setHeader("", "1")',
    'for (let i = 0; i < 10000; i++) addHeader("h" + i, "x")',
    'setHeader("X-Long", "x".repeat(40000))',
    'setBody("x".repeat(6e6))',
    'setBody("é".repeat(3e6))',
    'JSON.stringify = () => "{}"; Object.prototype.toJSON = () => ({ status: 200 }); setStatus(1000)',
  ])('%s is an invalid_response', async (source) => expectProblem(await run(source), 'invalid_response'));
});

/** The same gateway's scripts with more time: a bomb needs some to go off. */
describe('the client’s errors', () => {
  test('a hostname without a script is script_not_found, and no isolate is spent', async () => {
    const answer = await system.request({ hostname: 'nobody.example' });
    expectProblem(answer, 'script_not_found');
    expect(answer.header('server-timing')).toMatch(/isolate;dur=0\.00, script;dur=0\.00/);
  });

  test('headers over the limit are headers_too_large', async () => {
    const answer = await system.request({ hostname: 'a.example', headers: [['X-Long', 'x'.repeat(20_000)]] });
    expectProblem(answer, 'headers_too_large');
  });

  test.each([
    [
      'length and transfer-encoding',
      'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['xchunked', 'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: xchunked\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\n 2\r\n\r\n'],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: a.example\n\n'],
    ['nonsense', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
  ])('%s is a bad_request', async (_what, bytes) => {
    const answer = await system.raw(bytes);
    expectProblem(answer, 'bad_request');
    expect(answer.closed).toBe(true);
  });
});

test('a sandbox that is killed under its script is a runner_lost, and is replaced', async () => {
  await patient.deploy('victim.example', `if (readRequestUrl() === '/endless') for (;;);`);
  const runner = patient.runners[0]?.pid as number;
  const sandboxes = () => processTree(runner).slice(1);
  const before = new Map(sandboxes().map(({ pid, cpu }) => [pid, cpu]));
  const pending = patient.request({ hostname: 'victim.example', path: '/endless' });
  // More than a start takes, in case one has just been replaced.
  const busy = () => sandboxes().find(({ pid, cpu }) => cpu > (before.get(pid) ?? 0) + 100);
  await waitFor('a busy sandbox', () => busy() !== undefined);
  process.kill(busy()?.pid as number, 'SIGKILL');
  expectProblem(await pending, 'runner_lost');
  await waitFor('its replacement', () => sandboxes().length === 2);
  expect((await patient.request({ hostname: 'victim.example' })).status).toBe(200);
});
