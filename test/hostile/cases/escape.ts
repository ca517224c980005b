import { createContext, runInContext } from 'node:vm';
import { scripts, type Family } from '../hostile-case.ts';

/** What V8 itself gives a new context; Node adds nothing to one of `node:vm`. */
const LANGUAGE = runInContext('Object.getOwnPropertyNames(globalThis)', createContext()) as string[];
const REMOVED = new Set(['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Temporal']);
const API = [
  'readRequestUrl',
  'readRequestMethod',
  'readRequestHeader',
  'readRequestHeaders',
  'readRequestBody',
  'readRequestBodyBytes',
  'readResponseStatusCode',
  'readResponseHeader',
  'readResponseHeaders',
  'readResponseBody',
  'readResponseBodyBytes',
  'setStatus',
  'setHeader',
  'addHeader',
  'setBody',
  'console',
];
const ALLOWED = JSON.stringify([...LANGUAGE.filter((name) => !REMOVED.has(name)), ...API]);

/**
 * Goes to everything that can be reached from the global object: properties, accessors, prototypes, what functions
 * are bound to. Each must be of this realm, have no name of the host's, and no text that tells of it.
 */
const WALK = `
const bad = [];
const seen = new Set();
const queue = [[globalThis, 'globalThis']];
const hostNames = /^(process|require|module|exports|Buffer|ivm|isolate|context|binding|fetch|setTimeout|setImmediate|performance|navigator|__lc500\\w*|internalBinding|primordials|fs|child_process)$/;
const ours = ${JSON.stringify(API)};
function inRealm(value) {
  for (let p = value; p !== null; p = Reflect.getPrototypeOf(p)) if (p === Object.prototype) return true;
  let p = value;
  while (Reflect.getPrototypeOf(p) !== null) p = Reflect.getPrototypeOf(p);
  return p === value && typeof value === 'object';
}
const visit = (value, path) => {
  if (Object(value) !== value || seen.has(value)) return;
  seen.add(value);
  queue.push([value, path]);
};
visit(globalThis, 'globalThis');
for (const kind of ['function* () {}', 'async function () {}', 'async function* () {}', '() => 1', 'class {}'])
  visit((0, eval)('(' + kind + ')'), kind);
for (const kind of ['[][Symbol.iterator]()', '""[Symbol.iterator]()', '"a".matchAll(/a/g)', 'new Map().keys()', 'new Set().keys()', 'Iterator.from({})', '(function () { return arguments; })()', 'new Intl.Segmenter().segment("a")', '[].values().map((a) => a)'])
  try { visit((0, eval)(kind), kind); } catch {}
let count = 0;
for (let entry; (entry = queue.shift()); count++) {
  const [value, path] = entry;
  if (!inRealm(value)) bad.push('another realm: ' + path);
  visit(Reflect.getPrototypeOf(value), path + '.__proto__');
  if (typeof value === 'function') {
    const text = Function.prototype.toString.call(value);
    if (!/\\[native code\\]/.test(text) && !/^(globalThis|\\W|async|class|function\\*)/.test(path) ) bad.push('its source: ' + path);
    if (/node:|isolated|ivm|require\\(|process\\./.test(text)) bad.push('source of the host: ' + path);
  }
  for (const key of Reflect.ownKeys(value)) {
    const name = String(key);
    if (hostNames.test(name)) bad.push('a name of the host: ' + path + '.' + name);
    const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
    for (const part of ['value', 'get', 'set']) visit(descriptor[part], path + '.' + name);
    try { visit(value[key], path + '.' + name); } catch {}
  }
}
const allowed = new Set(${ALLOWED});
const extra = Reflect.ownKeys(globalThis).filter((key) => !allowed.has(key) && !Object.hasOwn(Object.getOwnPropertyDescriptor(globalThis, key), 'declared'))
  .filter((key) => !['bad', 'seen', 'queue', 'hostNames', 'ours', 'inRealm', 'visit', 'count', 'allowed', 'extra'].includes(key));
if (extra.length) bad.push('globals: ' + extra.map(String).join());
if (count < 700) bad.push('only ' + count + ' things were found');
setBody(bad.join('\\n') || 'clean');`;

/** Each tells what it got hold of; `clean` is nothing. */
const WALKS = {
  'everything that can be reached': WALK,
  'the constructor’s constructor': `
    const all = [this, setBody, console, console.log, readRequestHeaders(), readRequestBodyBytes(), readResponseHeader('a'), new Error()];
    const got = all.map((a) => a.constructor.constructor('return typeof process + typeof require + typeof module + (this === globalThis)')());
    setBody(got.every((a) => a === 'undefinedundefinedundefinedtrue') ? 'clean' : got.join())`,
  'constructors of other kinds of functions': `
    const kinds = [function* () {}, async () => {}, async function* () {}].map((f) => f.constructor);
    setBody(kinds.map((F) => F('return typeof process')).every((f) => f instanceof Function) && typeof process === 'undefined' ? 'clean' : 'got')`,
  'names of the host': `
    const names = ['process', 'require', 'module', 'Buffer', 'global', 'ivm', '_ivm', '$ivm', 'fetch', 'setTimeout', 'queueMicrotask', 'structuredClone', 'performance',
      '__lc500_exchange', '__lc500_clock', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Temporal', 'gc', 'd8', 'print', 'load', 'quit', 'Worker', 'ShadowRealm'];
    const got = names.filter((name) => { try { return (0, eval)('typeof ' + name) !== 'undefined'; } catch { return true; } });
    setBody(got.join() || 'clean')`,
  'call sites of a prepareStackTrace': `
    const got = [];
    Error.prepareStackTrace = (error, sites) => {
      for (const site of sites) {
        const of = [site.getThis(), site.getFunction()].filter((a) => a !== undefined && a !== null && a !== globalThis);
        for (const a of of) if (!mine.includes(a)) got.push(site.getFunctionName() + ': ' + typeof a);
        if (!['index.js', 'lc500', null, undefined].includes(site.getFileName())) got.push(site.getFileName());
      }
      return '';
    };
    const look = () => void new Error().stack;
    const value = { toString() { look(); return 'a'; }, toJSON() { look(); return 1; }, valueOf() { look(); return 200; } };
    const logged = new Error();
    const getter = function () { look(); return ''; };
    Object.defineProperty(logged, 'stack', { get: getter });
    const mine = [look, value, value.toString, value.toJSON, value.valueOf, logged, getter];
    setHeader(value, value); addHeader(value, value); setStatus(value); readRequestHeader(value); readResponseHeader(value);
    console.log(value); console.log(logged);
    setBody(got.join() || 'clean')`,
  captureStackTrace: `
    const o = {};
    Error.captureStackTrace(o);
    const traces = [o.stack];
    for (const f of [() => setStatus(Symbol()), () => setHeader(), () => null.a, () => JSON.parse('{'), () => new RegExp('('), () => eval('let let')])
      try { f(); } catch (error) { traces.push(error.stack); }
    setBody(traces.some((a) => /\\/\\w+\\/|node|file:|isolated/.test(a)) ? traces.join('\\n') : 'clean')`,
  callers: `
    const got = [];
    const value = { toString: function look() {
      for (let f = look.caller, i = 0; f && i < 10; f = f.caller, i++) got.push(f.name || 'one without a name');
      return 'a';
    } };
    setHeader(value, 'a'); addHeader(value, 'a'); readRequestHeader(value); console.log({ toJSON: value.toString });
    try { got.push(...Object.keys(setBody.arguments ?? [])); } catch {}
    setBody(got.join() || 'clean')`,
  'what the script API keeps': `
    const got = [];
    for (const key of ['0', 'length', 'status', 'headers', 'log', 'binary', 'tooLarge', 'request', 'blueprint', 'toJSON'])
      for (const p of [Object.prototype, Array.prototype, String.prototype, Function.prototype]) {
        if (key === 'length' && p !== Object.prototype) continue;
        try { Object.defineProperty(p, key, { configurable: true, set(v) { if (this !== globalThis && Object(v) === v) got.push(key); }, get() { if (!mine) got.push('get ' + key); } }); } catch {}
      }
    var mine = false;
    setStatus(200); setHeader('a', 'b'); addHeader('a', 'c'); console.log('a');
    readRequestHeaders(); readResponseHeaders(); readRequestHeader('host'); readResponseHeader('a'); readRequestBodyBytes();
    mine = true;
    setBody(got.join() || 'clean')`,
  'another module': `import('node:fs').then(() => setBody('got it'), () => setBody('clean'))`,
  'errors of the host': `
    const texts = [];
    const tries = [() => import('a'), () => readRequestHeader(), () => new Intl.DateTimeFormat('x'.repeat(100)), () => 'a'.normalize('b'), () => BigInt('x'), () => Symbol() + ''];
    for (const attempt of tries) try { const p = attempt(); p?.catch?.((e) => texts.push(String(e.stack))); } catch (error) { texts.push(String(error.stack)); }
    Promise.resolve().then(() => {}).then(() => {}).then(() => setBody(texts.filter((t) => /\\/\\w|file:|node:|isolated/.test(t)).join() || 'clean'))`,
};

const ONCE_SET = `
  const names = ['leak', Symbol.for('leak')];
  const found = names.some((name) => name in globalThis) || 'leak' in Object.prototype || 'leak' in setBody || JSON.leak || Symbol.for('leak').leak || RegExp.lastMatch === 'leak';
  for (const name of names) globalThis[name] = Object.prototype[name] = 1;
  JSON.leak = setBody.leak = 1; /leak/.test('leak');
  setBody(found ? 'found' : 'clean')`;

/** Built-ins that the script API's own code might use; the answer must be what was set through the API all the same. */
const tampered = (what: string): string => `
  const bytes = new Uint8Array(2);
  bytes[0] = 97;
  bytes[1] = 98;
  ${what}
  setStatus(201); setHeader('Content-Type', 'text/plain'); setHeader('X-A', '1'); addHeader('x-a', '2'); setHeader('X-B', readRequestHeader('x-given'));
  setBody(bytes); setBody(readRequestMethod()); setBody(readRequestUrl()); console.log('a', { b: 1 });`;

const TAMPERED = {
  JSON: `JSON.stringify = () => '{"status":500}'; JSON.parse = () => ({});`,
  'JSON itself': `globalThis.JSON = { stringify: () => '{}' };`,
  'toJSON everywhere': `for (const p of [Object, Array, String, Number, Boolean]) p.prototype.toJSON = () => 'forged';`,
  Reflect: `for (const key of Reflect.ownKeys(Reflect)) try { Reflect[key] = () => 'forged'; } catch {}`,
  'call and apply': `Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => 'forged';`,
  'Object’s functions': `const { getOwnPropertyNames } = Object; for (const key of getOwnPropertyNames(Object)) try { if (typeof Object[key] === 'function') Object[key] = () => 'forged'; } catch {}`,
  'methods of strings': `for (const key of Object.getOwnPropertyNames(String.prototype)) if (key !== 'length') String.prototype[key] = () => 'forged';`,
  'methods of arrays': `for (const key of Reflect.ownKeys(Array.prototype)) if (key !== 'length') Array.prototype[key] = () => 'forged';`,
  'String and Number': `globalThis.String = globalThis.Number = globalThis.Boolean = globalThis.Array = globalThis.Object = () => 'forged';`,
  'String.fromCharCode': `String.fromCharCode = () => 'forged';`,
  iterators: `Array.prototype[Symbol.iterator] = function* () { yield 'forged'; }; Object.getPrototypeOf([][Symbol.iterator] ? (function* () {})() : 0).next = () => ({ done: true });`,
  'a species': `for (const C of [Array, Uint8Array, Promise, RegExp]) Object.defineProperty(C, Symbol.species, { value: function () { return ['forged']; } });`,
  Uint8Array: `Object.defineProperty(Uint8Array.prototype, 'length', { value: 1 }); Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag, { get: () => 'forged' });`,
  'setters on prototypes': `for (let i = 0; i < 20; i++) for (const p of [Object.prototype, Array.prototype]) Object.defineProperty(p, i, { set() {}, get: () => 'forged', configurable: true });`,
  'properties of prototypes': `Object.assign(Object.prototype, { status: 500, headers: ['x', 'y'], body: 'forged', tooLarge: true, log: ['x', 'y'], binary: [0, 9], get: undefined, writable: false });`,
  'the prototype of Object.prototype': `try { Object.setPrototypeOf(Object.prototype, new Proxy({}, {})); } catch {} Object.setPrototypeOf(Array.prototype, new Proxy({}, { get: () => 'forged', set: () => false }));`,
  promises: `Promise.prototype.then = () => 'forged'; globalThis.Promise = function () {};`,
  'Symbol and Error': `globalThis.Symbol = { iterator: 'a' }; globalThis.Error = function () {}; Object.defineProperty(Function.prototype, Symbol.iterator, { value: 1 });`,
  'all frozen': `for (const o of [Object, Array, String, Function, JSON, Reflect, Number, globalThis]) { Object.freeze(o); if (o.prototype) Object.freeze(o.prototype); }`,
};

export const escape: Family = {
  name: 'escape',
  cases: [
    ...scripts({ status: 200, text: 'clean' }, WALKS),
    {
      name: 'what one request leaves for the next',
      script: ONCE_SET,
      expected: { status: 200, text: 'clean' },
      act: async ({ system, hostname }) => {
        for (let i = 0; i < 6; i++) {
          const answer = await system.request({ hostname });
          if (answer.text !== 'clean') return answer;
        }
        return 'clean';
      },
    },
    ...scripts(
      {
        status: 201,
        text: 'abGET/x',
        headers: { 'content-type': 'text/plain', 'x-a': '1', 'x-b': 'given' },
      },
      Object.fromEntries(
        Object.entries(TAMPERED).map(([name, what]) => [`tampered: ${name}`, tampered(what)]),
      ),
      { path: '/x', headers: [['X-Given', 'given']] },
    ),
    ...scripts('script_error', {
      'the API deleted': `delete globalThis.setBody; setBody('a')`,
      'process of the global’s constructor': `this.constructor.constructor('return process')()`,
      'main module of process': `globalThis.process.mainModule.require('fs')`,
    }),
  ],
};
