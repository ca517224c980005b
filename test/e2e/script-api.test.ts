import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSystem, type System } from '../helpers/system.ts';

let system: System;
let tenants = 0;

beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system[Symbol.asyncDispose]());

/** Deploys a script for a tenant of its own and asks it once. */
async function run(source: string, options: Partial<Parameters<System['request']>[0]> = {}) {
  const hostname = `t${tenants++}.example`;
  await system.deploy(hostname, source);
  return system.request({ hostname, ...options });
}

describe('what a script reads', () => {
  const request = {
    method: 'POST',
    path: '/a/b?x=1&y=%20',
    headers: [
      ['X-One', '1'],
      ['x-two', 'a'],
      ['X-TWO', 'b'],
    ],
    body: 'grüße ✓',
  } as const;
  test.each([
    ['readRequestUrl()', '/a/b?x=1&y=%20'],
    ['readRequestMethod()', 'POST'],
    ['readRequestHeader("x-ONE")', '1'],
    ['readRequestHeader("X-Two")', 'a'],
    ['readRequestHeader("absent")', undefined],
    ['readRequestHeaders()["X-Two"]', ['a', 'b']],
    ['readRequestHeaders()["X-Two"][1]', 'b'],
    ['Object.keys(readRequestHeaders()).includes("X-One")', true],
    ['readRequestBody()', 'grüße ✓'],
    ['Array.from(readRequestBodyBytes())', [...Buffer.from('grüße ✓')]],
    ['readResponseStatusCode()', 200],
    ['readResponseHeader("Content-Type")', []],
    ['readResponseHeaders()', {}],
    ['readResponseBody()', ''],
    ['readResponseBodyBytes().length', 0],
  ])('%s', async (expression, expected) => {
    const answer = await run(`setBody(JSON.stringify({ value: ${expression} }))`, request);
    expect(answer.json()).toEqual(expected === undefined ? {} : { value: expected });
  });
});

describe('what a script answers', () => {
  test.each([
    ['nothing at all', '', 200, ''],
    ['a status', 'setStatus(418)', 418, ''],
    ['a status as text', 'setStatus("404")', 404, ''],
    ['the last status', 'setStatus(500); setStatus(201)', 201, ''],
    ['bodies that add up', 'setBody("a"); setBody("b"); setBody(1)', 200, 'ab1'],
    ['text beyond ASCII', 'setBody("✓ ü 😀")', 200, '✓ ü 😀'],
    [
      'text and bytes mixed',
      'setBody("ü"); setBody(new Uint8Array([226, 156, 147])); setBody("ä")',
      200,
      'ü✓ä',
    ],
    ['what a microtask sets', 'Promise.resolve().then(() => setBody("later"))', 200, 'later'],
    ['no completion value', '"not this"', 200, ''],
  ])('%s', async (_what, source, status, text) => {
    const answer = await run(source);
    expect(answer.status).toBe(status);
    expect(answer.text).toBe(text);
  });

  test('setHeader replaces, addHeader repeats; order and case are kept', async () => {
    const answer = await run(`
      setHeader('x-b', '0'); setHeader('X-A', '1'); setHeader('X-B', '2');
      addHeader('Set-Cookie', 'a=1'); addHeader('x-a', '3'); addHeader('Set-Cookie', 'b=2');`);
    expect(answer.headers.slice(0, 5)).toEqual([
      ['X-B', '2'],
      ['X-A', '1'],
      ['Set-Cookie', 'a=1'],
      ['x-a', '3'],
      ['Set-Cookie', 'b=2'],
    ]);
  });

  test('what it prints is in the log, as data', async () => {
    await run(`console.log('seen', { a: 1 }, 'line\\n{"level":60}'); console.error(new Error('broken'))`);
    const record = system.runners[0]?.records.find(({ msg }) => msg === 'console');
    expect(record?.['lines']).toEqual([
      { level: 'log', text: 'seen {"a":1} line\n{"level":60}' },
      { level: 'error', text: expect.stringMatching(/^Error: broken\n {4}at index\.js:1:/) },
    ]);
  });

  test('a console that is flooded is cut, and the answer arrives', async () => {
    const answer = await run(`for (let i = 0; i < 1e5; i++) console.log('x'.repeat(100)); setBody('done')`);
    expect(answer.text).toBe('done');
  });
});

describe('a script of the first lc500', () => {
  test('runs unchanged', async () => {
    const answer = await run(
      `
      var greeting = 'Hello';
      function page(text) { return '<p>' + text + '</p>'; }
      setStatus(readResponseStatusCode());
      setHeader('Content-Type', (readResponseHeaders()['Content-Type'] || { 0: 'text/html' })[0]);
      setBody(page(greeting));
      setBody(page(readRequestHeaders()['User-Agent'][0]));`,
      { headers: [['user-agent', 'test/1']] },
    );
    expect(answer.status).toBe(200);
    expect(answer.header('content-type')).toBe('text/html');
    expect(answer.text).toBe('<p>Hello</p><p>test/1</p>');
  });
});

describe('every request has an isolate of its own', () => {
  test('a global of one request is not there in the next', async () => {
    await system.deploy('globals.example', `setBody(String(globalThis.count = (globalThis.count ?? 0) + 1))`);
    for (let i = 0; i < 6; i++)
      expect((await system.request({ hostname: 'globals.example' })).text).toBe('1');
  });

  test('random numbers differ', async () => {
    await system.deploy('random.example', 'setBody(String(Math.random()))');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => system.request({ hostname: 'random.example' })),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(8);
  });

  test('nothing of the host is in reach', async () => {
    const answer = await run(`setBody(JSON.stringify([
      typeof process, typeof require, typeof module, typeof WebAssembly, typeof SharedArrayBuffer, typeof Atomics,
      this.constructor.constructor('return typeof process')(), typeof __lc500_exchange]))`);
    expect(new Set(answer.json() as string[])).toEqual(new Set(['undefined']));
  });
});
