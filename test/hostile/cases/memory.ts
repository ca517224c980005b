import { scripts, type Family } from '../hostile-case.ts';

const BOMBS = {
  'a growing Map': 'const m = new Map(); for (let i = 0; ; i++) m.set(i, i)',
  'a growing Set': 'const s = new Set(); for (let i = 0; ; i++) s.add(i)',
  'properties of one object': 'const o = {}; for (let i = 0; ; i++) o["k" + i] = i',
  'a growing array': 'const a = []; for (;;) a.push({})',
  'a holey array': 'const a = []; for (let i = 0; ; i += 1000) a[i] = [i]',
  'a filled array': 'const a = []; for (;;) a.push(new Array(1e6).fill(1))',
  'arrays in arrays': 'for (let a = []; ; ) a = [a, new Array(1000).fill(a)]',
  'small strings': 'for (const a = []; ; ) a.push("x".repeat(50) + a.length)',
  'joined strings': 'for (const a = []; ; ) a.push(new Array(3e7).join("abcdefgh"))',
  'ropes made flat':
    'const a = []; for (;;) { let s = "x"; for (let i = 0; i < 22; i++) s += s; /y/.test(s); a.push(s); }',
  'typed arrays': 'for (const a = []; ; ) a.push(new Uint8Array(1 << 20).fill(1))',
  'typed arrays that are not touched': 'for (const a = []; ; ) a.push(new Float64Array(1 << 17))',
  'resizable buffers': 'const a = []; for (;;) a.push(new ArrayBuffer(1 << 20, { maxByteLength: 1 << 24 }))',
  'a resizable buffer that grows':
    'for (const a = []; ; ) { const b = new ArrayBuffer(0, { maxByteLength: 1 << 28 }); b.resize(1 << 28); new Uint8Array(b).fill(1); a.push(b); }',
  symbols: 'for (const a = []; ; ) a.push(Symbol("x".repeat(100) + a.length))',
  'registered symbols': 'for (let i = 0; ; i++) Symbol.for("x".repeat(200) + i)',
  closures: 'let f = () => 0; for (;;) { const g = f; const kept = new Array(100).fill(g); f = () => kept; }',
  'generators that are not finished':
    'function* g() { const a = new Array(100).fill(1); yield a; } for (const a = []; ; ) { const i = g(); i.next(); a.push(i); }',
  'promises that never settle': 'for (const a = []; ; ) a.push(new Promise(() => {}).then(() => a))',
  'promises in a chain':
    'let p = new Promise(() => {}); const a = []; for (;;) a.push((p = p.then(() => new Array(10))))',
  'large numbers': 'for (const a = []; ; ) a.push(1n << 1000000n)',
  'regular expressions':
    'for (const a = []; ; ) { const r = new RegExp("a".repeat(1000) + a.length); r.test("b"); a.push(r); }',
  'results of regular expressions':
    'const a = []; const text = "ab".repeat(1e5); for (;;) a.push([...text.matchAll(/(a)(b)/g)])',
  'compiled code':
    'const a = []; for (;;) { const f = new Function("return [" + "1.5,".repeat(2000) + a.length + "]"); f(); a.push(f); }',
  'template objects':
    'const keep = []; const tag = (t) => keep.push(t); for (;;) new Function("tag", "tag`" + "x".repeat(5000) + keep.length + "`")(tag)',
  'weak references':
    'for (const a = []; ; ) { const o = new Array(100).fill(1); a.push(new WeakRef(o), o); }',
  'a WeakMap':
    'const w = new WeakMap(); for (const a = []; ; ) { const k = {}; a.push(k); w.set(k, new Array(20).fill(1)); }',
  finalizers:
    'const r = new FinalizationRegistry(() => {}); for (const a = []; ; ) { const o = {}; a.push(o); r.register(o, new Array(20)); }',
  errors:
    'Error.stackTraceLimit = 100; const f = (n) => (n ? f(n - 1) : new Error("x".repeat(100))); for (const a = []; ; ) a.push(f(50))',
  proxies: 'for (const a = []; ; ) a.push(new Proxy({}, { get: () => a }))',
  classes: 'for (const a = []; ; ) a.push(class { a = 1; static b = 2; c() {} })',
  'a text taken apart': 'for (const a = []; ; ) a.push("abc".repeat(1e5).split(""))',
  'views of one buffer': 'const b = new Uint8Array(8); for (const a = []; ; ) a.push(b.subarray(1))',
  'parsed JSON':
    'const t = JSON.stringify(Array.from({ length: 1e4 }, (_, i) => ({ i }))); for (const a = []; ; ) a.push(JSON.parse(t))',
  'an endless iterable': 'const a = [...(function* () { for (;;) yield {}; })()]',
  'an endless Promise.all': 'Promise.all((function* () { for (;;) yield 1; })())',
  'global variables': 'for (let i = 0; ; i++) globalThis["v" + i] = new Array(50).fill(i)',
  'headers without end': 'for (let i = 0; ; i++) addHeader("x" + i, "y".repeat(100))',
  'the stack with large frames':
    'const a = []; (function f() { try { f(); } catch {} })(); for (;;) a.push(new Array(1e5).fill(1))',
  'the body, again and again': 'for (const a = []; ; ) a.push(readRequestBodyBytes())',
};

const REFUSED = {
  'a string that doubles': 'let s = "x"; for (;;) s += s',
  'a text that is too long': '"x".repeat(2 ** 30)',
  'a buffer that is too long': 'new ArrayBuffer(2 ** 43)',
  'a buffer that may become too long': 'new ArrayBuffer(0, { maxByteLength: 2 ** 50 })',
  'an array that is too long': 'new Array(-1)',
  'three million rejected promises': 'for (let i = 0; i < 3e6; i++) Promise.reject(i)',
  'replaceAll that explodes': '"a".repeat(1e5).replaceAll("a", "b".repeat(1e5))',
  'padding without end': '"a".padEnd(2 ** 30, "b")',
};

/** A few million characters that go out of the isolate with what was thrown: each run's may add to the last one's. */
const THROWN = {
  'a large text that is thrown': 'throw "x".repeat(4e6)',
  'a large message': 'throw new Error("x".repeat(4e6))',
  'a large stack': 'throw Object.assign(new Error("a"), { stack: "x".repeat(4e6) })',
  'a large name': 'throw Object.assign(new Error("a"), { name: "x".repeat(4e6) })',
  'a large message in a rejection': 'void Promise.reject(new Error("x".repeat(4e6)))',
};

export const memory: Family = {
  name: 'memory',
  cases: [
    ...scripts('memory_limit', BOMBS, { method: 'POST', body: 'x'.repeat(60_000) }),
    ...scripts('script_error', REFUSED),
    ...scripts('script_error', THROWN),
    {
      name: 'a large value that nobody asked for',
      script: '"x".repeat(4e6)',
      expected: { status: 200, text: '' },
    },
    // The engine refuses to make the larger one, or makes it and is over.
    ...scripts(['memory_limit', 'script_error'], {
      'buffers that are transferred':
        'for (const a = []; ; ) a.push(new Uint8Array(new ArrayBuffer(1 << 20).transfer(1 << 21)).fill(1))',
    }),
    ...scripts('invalid_response', {
      'a body without end': 'for (let i = 0; i < 1e5; i++) setBody("x".repeat(1e4))',
      'a body of 100 MB': 'const b = "x".repeat(1e8); setBody(b)',
    }),
  ],
};
