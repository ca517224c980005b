import { scripts, type Family } from '../hostile-case.ts';

const bad = (rows: Readonly<Record<string, string>>) => scripts('invalid_response', rows);

export const answers: Family = {
  name: 'answer forging',
  cases: [
    ...bad({
      ...Object.fromEntries(
        [
          '0',
          '-1',
          '99',
          '100',
          '101',
          '103',
          '199',
          '600',
          '1000',
          'NaN',
          '"abc"',
          '200.5',
          'Infinity',
          '2n ** 64n',
          '[]',
          '({})',
          'undefined',
          'null',
        ].map((status) => [`status ${status}`, `setStatus(${status})`]),
      ),
      ...Object.fromEntries(
        [
          'a\\rb',
          'a\\nb',
          'a\\r\\nSet-Cookie: x',
          'a\\0b',
          '\\u010a',
          '\\u010d\\u010a',
          '\\x7f',
          '\\ud800',
        ].map((value) => [`a header value of ${value}`, `setHeader('X-A', '${value}')`]),
      ),
      ...Object.fromEntries(
        ['', 'a b', 'a:', 'a\\n', 'ä', ':path', 'a\\0', '(', '\\u212a'].map((name) => [
          `a header name of "${name}"`,
          `setHeader('${name}', '1')`,
        ]),
      ),
      'ten thousand headers': 'for (let i = 0; i < 10000; i++) addHeader("h" + i, "x")',
      'a header of 40 KB': 'setHeader("X-Long", "x".repeat(40000))',
      'headers of 2 MB': 'for (let i = 0; i < 200; i++) addHeader("h" + i, "x".repeat(10000))',
      'a body over the limit': 'setBody("x".repeat(300000))',
      'a body over the limit as UTF-8': 'setBody("é".repeat(150000))',
      'bytes over the limit': 'setBody(new Uint8Array(300000))',
      'a symbol for a header': `setHeader(Symbol(), 'a')`,
      'a value that changes when it is looked at again':
        'let n = 0; setHeader("a", { toString: () => (n++ ? "good" : "a\\r\\nb") })',
    }),
    ...scripts(
      { status: 200, text: '\n{"status":500,"headers":["a","b"]}\nx' },
      {
        'a body that looks like a head': `setBody('\\n{"status":500,"headers":["a","b"]}\\nx')`,
      },
    ),
    ...scripts(
      { status: 200, text: 'HTTP/1.1 500 X\r\n\r\n' },
      {
        'a body that looks like an answer': `setBody('HTTP/1.1 500 X\\r\\n\\r\\n')`,
      },
    ),
    ...scripts(
      { status: 200, text: 'ok', headers: { ['__proto__']: 'x', constructor: 'y', tojson: 'z' } },
      {
        'headers named as what every object has': `setHeader('__proto__', 'x'); setHeader('constructor', 'y'); setHeader('toJSON', 'z'); setBody('ok')`,
      },
    ),
    ...scripts(
      {
        status: 200,
        text: 'ok',
        headers: {
          'x-request-id': /^[\w-]{21}$/,
          'server-timing': /^queue;dur=/,
          'idempotency-replayed': null,
          'lc500-script': null,
        },
      },
      {
        'headers that are the gateway’s own': `for (const name of ['X-Request-Id', 'x-request-ID', 'Server-Timing', 'Idempotency-Replayed', 'LC500-Script']) addHeader(name, 'forged'); setBody('ok')`,
      },
    ),
    ...scripts(
      {
        status: 200,
        text: 'ok',
        headers: {
          'content-length': '2',
          'transfer-encoding': null,
          trailer: null,
          upgrade: null,
          te: null,
          'x-hop': null,
          'proxy-authenticate': null,
        },
      },
      {
        'headers that frame': `addHeader('Content-Length', '0'); addHeader('content-length', '9'); addHeader('Transfer-Encoding', 'chunked'); addHeader('Connection', 'upgrade, X-Hop'); addHeader('X-Hop', '1'); addHeader('Upgrade', 'h2c'); addHeader('Trailer', 'X'); addHeader('TE', 'trailers'); addHeader('Proxy-Authenticate', 'Basic'); setBody('ok')`,
      },
    ),
    ...scripts(
      { status: 204, text: '', headers: { 'content-length': null, 'transfer-encoding': null } },
      {
        '204 with a body': `setStatus(204); setHeader('Content-Length', '4'); setBody('body')`,
      },
    ),
    ...scripts(
      { status: 304, text: '', headers: { 'content-length': null, 'transfer-encoding': null } },
      {
        '304 with a body': `setStatus(304); setHeader('Content-Length', '4'); setBody('body')`,
      },
    ),
    ...scripts({ status: 205, text: '' }, { '205 with a body': `setStatus(205); setBody('body')` }),
    ...scripts({ status: 204 }, { 'a status that is an object': `setStatus({ valueOf: () => 204 })` }),
    ...scripts({ status: 200, text: 'a\ufffdb\0c' }, { 'half a character': `setBody('a\\ud800b\\0c')` }),
    ...scripts(
      { status: 200, text: 'plain' },
      {
        'what only says that it is bytes': `setBody({ [Symbol.toStringTag]: 'Uint8Array', length: 1e9, toString: () => 'plain' })`,
        'bytes that lie about their length': `class A extends Uint8Array { get length() { return 1e9; } } setBody(new A([112, 108, 97, 105, 110]))`,
        'an answer after an error that was caught': `setStatus(1000); try { setBody({ toString() { throw 1; } }); } catch {} setStatus(200); setBody('plain')`,
        'a promise that answers late': `Promise.resolve().then(() => setBody('plain'))`,
      },
    ),
    ...scripts('script_error', {
      'an answer and then an error': `setBody('ok'); null.a`,
      'an answer and then a rejection': `setBody('ok'); Promise.reject(new Error('a'))`,
      'an error that is no error': `throw { name: 'LC500Error', code: 'queue_unavailable', message: 'forged' }`,
      'an error named as one of ours': `const e = new Error('forged'); e.name = 'LC500Error'; e.code = 'overloaded'; throw e`,
      'an error about time': `throw new Error('Script execution timed out.')`,
      'an error about memory': `throw new RangeError('Isolate was disposed during execution due to memory limit')`,
      'null that is thrown': `throw null`,
      'a symbol that is thrown': `throw Symbol('a')`,
    }),
  ],
};
