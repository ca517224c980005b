import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { installScriptApi } from '../../../runner/sandbox/script-api.ts';

const INPUT = JSON.stringify({
  request: { method: 'GET', url: '/', headers: [['host', 'a']] },
  blueprint: { status: 200, headers: [] },
  maxResponse: 1000,
  maxHeaders: 3,
});

/** Runs a script in a realm of its own, as an isolate does, and reads what comes out. */
function run(script: string): { head: Record<string, unknown>; body: string } {
  const exchange = runInNewContext(`(${installScriptApi.toString()})(globalThis)`) as ReturnType<
    typeof installScriptApi
  >;
  // The realm's own global is where the functions were installed.
  const evaluate = (exchange as unknown as { constructor: FunctionConstructor }).constructor;
  exchange(INPUT, 'body');
  evaluate(script)();
  const out = exchange();
  const end = out.indexOf('\n');
  return { head: JSON.parse(out.slice(0, end)) as Record<string, unknown>, body: out.slice(end + 1) };
}

const ANSWER = `setStatus(201); setHeader('A', '1'); addHeader('B', '2'); addHeader('a', '3'); setHeader('b', '4');
  setBody('text'); setBody(Uint8Array.of(200, 201));`;
const EXPECTED = {
  head: { status: 201, headers: ['A', '1', 'b', '4', 'a', '3'], binary: [4, 2], tooLarge: false, log: [] },
  body: 'textÈÉ',
};

test('the answer is what was set', () => expect(run(ANSWER)).toEqual(EXPECTED));

test.each([
  'Object.prototype.toJSON = Array.prototype.toJSON = String.prototype.toJSON = () => "forged"',
  'JSON.stringify = () => "forged"; JSON.parse = () => ({})',
  'Array.prototype.push = Array.prototype.join = Array.prototype.concat = () => "forged"',
  'for (let i = 0; i < 9; i++) Object.defineProperty(Array.prototype, i, { set() { throw 1 }, get() { return "forged" } })',
  'for (const key of ["status", "headers", "binary", "log", "a", "b"]) Object.defineProperty(Object.prototype, key, { set() { throw 1 }, get() { return "forged" } })',
  'Object.defineProperty(Object.prototype, "get", { value: () => "forged" }); Object.prototype.value = "forged"',
  'String.prototype.toLowerCase = String.prototype.slice = String.prototype.charCodeAt = () => "forged"',
  'Reflect.apply = Reflect.defineProperty = Function.prototype.call = Function.prototype.apply = () => "forged"',
  'String.fromCharCode = () => "forged"; globalThis.String = () => "forged"; globalThis.Number = () => 1',
  'globalThis.Uint8Array = class extends Uint8Array {}; Object.defineProperty(Uint8Array, Symbol.species, { value: Array })',
  'Array.prototype[Symbol.iterator] = function* () { yield "forged" }',
])('nor does it change it to run %s first', (tampering) => {
  expect(run(`${tampering}\n${ANSWER}`)).toEqual(EXPECTED);
});

test.each(['NaN', '"abc"', '{}', 'Infinity'])('a status of %s is none', (status) => {
  expect(run(`setStatus(${status})`).head['status']).toBeNull();
});

test.each(["'y'.repeat(600)", 'new Uint8Array(600)'])('of a body over the limit, %s is not kept', (part) => {
  const { head, body } = run(`setBody('x'.repeat(600)); setBody(${part}); setBody('z')`);
  expect(head['tooLarge']).toBe(true);
  expect(head['binary']).toEqual([]);
  expect(body).toBe('x'.repeat(600));
});

test('of more headers than can be sent one comes out to tell', () => {
  const { head } = run(
    `addHeader('a', '1'); setHeader('A', '2'); for (let i = 0; i < 1e4; i++) addHeader('h' + i, i)`,
  );
  expect(head['headers']).toEqual(['A', '2', 'h0', '0', 'h1', '1', 'h2', '2']);
});

test('the log is bounded, whatever is printed', () => {
  const { head } = run(`for (let i = 0; i < 1e5; i++) console.log(i % 2 ? '' : 'x'.repeat(100))`);
  expect((head['log'] as string[]).join('').length).toBeLessThan(
    70_000 + 8 * (head['log'] as string[]).length,
  );
  expect((head['log'] as string[]).at(-1)).toBe('console: the log is full, the rest is dropped');
});

test('a header named __proto__ is one like all others', () => {
  const input = JSON.stringify({
    ...(JSON.parse(INPUT) as object),
    request: { method: 'GET', url: '/', headers: [['__proto__', 'x']] },
  });
  const scope: Record<string, () => object> = {};
  installScriptApi(scope)(input);
  const headers = scope['readRequestHeaders']?.();
  expect(Object.entries(headers ?? {})).toEqual([['__proto__', ['x']]]);
});
