import { scripts, type Family } from '../hostile-case.ts';

const FOREVER = 'for (;;);';

/** Loops in every place where a script can have its code run. */
const PLACES = {
  'a loop': FOREVER,
  'a loop in eval': `eval('${FOREVER}')`,
  'a loop in new Function': `new Function('${FOREVER}')()`,
  'a getter': `({ get a() { ${FOREVER} } }).a`,
  'a setter': `({ set a(v) { ${FOREVER} } }).a = 1`,
  'a getter of the global object': `Object.defineProperty(globalThis, 'a', { get() { ${FOREVER} } }); a`,
  'a getter of a prototype': `Object.defineProperty(Object.prototype, 'a', { get() { ${FOREVER} } }); ({}).a`,
  'a proxy’s get': `new Proxy({}, { get() { ${FOREVER} } }).a`,
  'a proxy’s ownKeys': `Object.keys(new Proxy({}, { ownKeys() { ${FOREVER} } }))`,
  'a proxy’s apply': `new Proxy(() => 1, { apply() { ${FOREVER} } })()`,
  'a comparator': `[3, 1, 2].sort(() => { ${FOREVER} })`,
  'a typed array’s comparator': `new Uint8Array([3, 1, 2]).sort(() => { ${FOREVER} })`,
  'a comparator without an opinion': `for (;;) Array.from({ length: 1e4 }, () => 1).sort(() => Math.random() - 0.5)`,
  'a replacer': `'a'.replace(/a/, () => { ${FOREVER} })`,
  'a replacer of JSON.stringify': `JSON.stringify({ a: 1 }, () => { ${FOREVER} })`,
  'a reviver of JSON.parse': `JSON.parse('[1]', () => { ${FOREVER} })`,
  toJSON: `JSON.stringify({ toJSON() { ${FOREVER} } })`,
  'toString of a body': `setBody({ toString() { ${FOREVER} } })`,
  'valueOf of a status': `setStatus({ valueOf() { ${FOREVER} } })`,
  'toPrimitive of a header name': `setHeader({ [Symbol.toPrimitive]() { ${FOREVER} } }, 'a')`,
  'toString of a header value': `setHeader('a', { toString() { ${FOREVER} } })`,
  'toString of a header that is asked for': `readRequestHeader({ toString() { ${FOREVER} } })`,
  'toJSON of what is logged': `console.log({ toJSON() { ${FOREVER} } })`,
  'stack of what is logged': `console.log(Object.defineProperty(new Error(), 'stack', { get() { ${FOREVER} } }))`,
  'an iterator': `[...{ [Symbol.iterator]: () => ({ next() { ${FOREVER} } }) }]`,
  'an endless generator': `for (const a of (function* () { for (;;) yield 1; })());`,
  'an endless iterator helper': `Iterator.from({ next: () => ({ done: false }) }).forEach(() => {})`,
  'an async loop': `(async () => { for (;;) await 0; })()`,
  'an endless async generator': `(async () => { for await (const a of (async function* () { for (;;) yield 1; })()); })()`,
  'an endless promise chain': `(function next() { Promise.resolve().then(next); })()`,
  'a thenable': `Promise.resolve({ then() { ${FOREVER} } })`,
  'a thenable that resolves to itself': `const t = { then(resolve) { resolve(t); } }; Promise.resolve(t)`,
  'a thenable that is awaited': `(async () => { await { then() { ${FOREVER} } }; })()`,
  'a disposer': `{ using a = { [Symbol.dispose]() { ${FOREVER} } }; }`,
  'a static block': `class A { static { ${FOREVER} } }`,
  hasInstance: `1 instanceof { [Symbol.hasInstance]() { ${FOREVER} } }`,
  unscopables: `with ({ a: 1, get [Symbol.unscopables]() { ${FOREVER} } }) a`,
  'a species': `const a = []; a.constructor = { get [Symbol.species]() { ${FOREVER} } }; a.map(() => 1)`,
  isConcatSpreadable: `[].concat({ get [Symbol.isConcatSpreadable]() { ${FOREVER} } })`,
  'newTarget’s prototype': `Reflect.construct(Date, [], new Proxy(Date, { get() { ${FOREVER} } }))`,
  'finally after a recursion': `(function f() { try { f(); } finally { f(); } })()`,
  'waiting for the clock': `const end = Date.now() + 1e6; while (Date.now() < end);`,
  'Intl again and again': `for (;;) 'a'.localeCompare('b', ['de', 'sv', 'ar'][Date.now() % 3])`,
  'console without end': `for (;;) console.log('x')`,
};

/** Loops of the engine's own, of which V8 does not ask whether they should end. */
const ENGINE = {
  'a regular expression': `/(a+)+$/.test('a'.repeat(60) + 'b')`,
  'a regular expression with a back reference': `/^(.*)(.*)(.*)(.*)(.*)\\1\\2\\3\\4\\5x$/.test('a'.repeat(300))`,
  'a regular expression that looks behind': `/(?<=^(a|aa)+)b/.test('a'.repeat(70) + 'b'); /(?<=(a|aa)+c)b/.test('a'.repeat(90) + 'b'); ${FOREVER}`,
  'a regular expression in split': `'a'.repeat(50).concat('!').split(/(?:a|a?)+$/)`,
  'a BigInt written out': `for (let n = 3n ** 400000n; ; n *= n) n.toString()`,
  'BigInt division': `const a = 7n ** 600000n; for (;;) (a * a) / (a + 1n)`,
  'indexOf in what is endlessly long': `Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)`,
  'copyWithin of what is endlessly long': `Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0)`,
  'a search in a long text': `const a = 'a'.repeat(2e6); for (;;) a.indexOf('a'.repeat(1e6) + 'b')`,
  'normalize of a long text': `const a = 'e\\u0301'.repeat(2e6); for (;;) a.normalize('NFKD')`,
};

/** What the runner is handed as an error, made so that whoever reads it is lost. */
const THROWN = {
  'an error’s message': `throw { get message() { ${FOREVER} } }`,
  'an error’s name': `throw Object.defineProperty(new Error(), 'name', { get() { ${FOREVER} } })`,
  'an error’s stack': `throw Object.defineProperty(new Error(), 'stack', { get() { ${FOREVER} } })`,
  'a thrown proxy': `throw new Proxy({}, { get() { ${FOREVER} }, getPrototypeOf() { ${FOREVER} } })`,
  prepareStackTrace: `Error.prepareStackTrace = () => { ${FOREVER} }; null.a`,
  'a rejection’s message': `Promise.reject({ get message() { ${FOREVER} } })`,
};

const nested = (open: string, close: string, depth: number): string =>
  open.repeat(depth) + '1' + close.repeat(depth);

/** What the engine itself refuses. */
const REFUSED = {
  'an object whose toString is not called': `throw { toString() { ${FOREVER} } }`,
  'infinite recursion': `(function f() { f(); })()`,
  'recursion through a getter': `({ get a() { return this.a; } }).a`,
  'recursion through toString': `const a = { toString() { return '' + a; } }; '' + a`,
  'recursion through JSON': `const a = { toJSON() { return JSON.stringify(a); } }; JSON.stringify(a)`,
  'a tower of proxies': `let a = {}; for (let i = 0; i < 1e5; i++) a = new Proxy(a, {}); a.b`,
  'an array within itself, flattened': `const a = []; a[0] = a; a.flat(Infinity)`,
  'eval of 8 MB': `eval('x'.repeat(8e6))`,
  'eval of what is nested deeply': `eval('('.repeat(1e6))`,
  'a regular expression that is nested deeply': `new RegExp('('.repeat(1e5) + ')'.repeat(1e5))`,
  'a regular expression that is too large': `new RegExp('a{0,9999}{0,9999}{0,9999}').test('b')`,
  'source that is nested deeply': nested('[', ']', 200_000),
  'source of functions within functions': nested('(function () { return ', ' })()', 20_000),
  'too many arguments': `Math.max(...new Array(1e6))`,
  'waiting for memory that is shared': `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
  'V8’s own functions': `%DebugPrint(1)`,
  'a module': `export default 1`,
  'a promise at the top': `await 1`,
  'another module': `import('fs')`,
};

/** What looks bad and is not. */
const HARMLESS = {
  'a deep structure as JSON': `let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a); setBody('ok')`,
  'a finalizer': `new FinalizationRegistry(() => { ${FOREVER} }).register({}, 1); for (let i = 0; i < 1e5; i++) ({}); setBody('ok')`,
  'a debugger statement': `debugger; setBody('ok')`,
  'source of many statements': `${'var a = 1;\n'.repeat(20_000)}setBody('ok')`,
  'source of many functions': `${'function f() { return [1, 2, 3].map((a) => a * 2); }\n'.repeat(10_000)}setBody('ok')`,
  'a long line': `var a = '${'x'.repeat(500_000)}'; setBody('ok')`,
  'JSON that is nested deeply': `JSON.parse('['.repeat(5e4) + ']'.repeat(5e4)); setBody('ok')`,
};

export const cpu: Family = {
  name: 'CPU',
  cases: [
    ...scripts('script_timeout', PLACES),
    ...scripts('script_timeout', ENGINE),
    ...scripts('script_timeout', THROWN),
    // Whichever is up first.
    ...scripts(['script_timeout', 'memory_limit'], {
      'eval of ever new code': `for (let i = 0; ; i++) eval('(function () { return ' + i + ' })')`,
      // An index over 2 ** 32 is a string, and a quick machine makes many of them in the script's time.
      'reverse of what is endlessly long': `Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)`,
      // A script_timeout but for one run in four on a machine with nothing else to do; why is open.
      'a number parsed into a BigInt': `BigInt('1'.repeat(4e6)); ${FOREVER}`,
      'JSON of what is shared': `let a = [1]; for (let i = 0; i < 24; i++) a = [a, a]; for (;;) JSON.stringify(a).length`,
    }),
    ...scripts('script_error', REFUSED),
    ...scripts({ status: 200, text: 'ok' }, HARMLESS),
  ],
};
