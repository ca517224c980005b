import { scripts, type Family, type HostileCase } from '../hostile-case.ts';

const GET = 'GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n';

const rows = (expected: HostileCase['expected'], table: Readonly<Record<string, string>>): HostileCase[] =>
  Object.entries(table).map(([name, raw]) => ({ name, raw, expected }));

const ECHO_HEADERS = `
  const all = readRequestHeaders();
  setBody(JSON.stringify([Object.keys(all).length, all['X-A'] ?? null, readRequestHeader('__proto__') ?? null, Object.getPrototypeOf(all) === Object.prototype, readRequestBody().length]))`;

export const headers: Family = {
  name: 'headers and bodies',
  cases: [
    ...rows('headers_too_large', {
      'a header of 20 KB': `${GET}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      'a name of 20 KB': `${GET}${'x'.repeat(20_000)}: 1\r\n\r\n`,
      'a target of 20 KB': `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: HOST\r\n\r\n`,
      'a thousand headers of 20 bytes': `${GET}${'X-0123456789: 01234\r\n'.repeat(1000)}\r\n`,
      'a trailer of 20 KB': `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
    }),
    ...rows('request_too_large', {
      'a body that is announced as too large': `${POST}Content-Length: 99999999\r\n\r\nx`,
      'a body that is announced as larger than numbers go': `${POST}Content-Length: 9007199254740991\r\n\r\nx`,
      'one byte too many': `${POST}Content-Length: 65537\r\n\r\n${'x'.repeat(65_537)}`,
      'chunks that are too many': `${POST}Transfer-Encoding: chunked\r\n\r\n${`4000\r\n${'x'.repeat(16_384)}\r\n`.repeat(5)}0\r\n\r\n`,
      'one chunk that is too large': `${POST}Transfer-Encoding: chunked\r\n\r\nfffff\r\n${'x'.repeat(100_000)}`,
      'a body that waits to be asked for': `${POST}Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n`,
    }),
    ...scripts(
      { status: 200, text: '[3,["1","2"],"x",true,0]' },
      { 'headers named as what every object has': ECHO_HEADERS },
      {
        headers: [
          ['X-A', '1'],
          ['__proto__', 'x'],
          ['x-a', '2'],
        ],
      },
    ).map((hostile) => ({
      ...hostile,
      request: {
        ...hostile.request,
        headers: [
          ['X-A', '1'],
          ['__proto__', 'x'],
          ['x-a', '2'],
          ['Connection', 'close'],
        ] as const,
      },
      expected: { status: 200, text: /^\[\d,\["1","2"\],"x",true,0\]$/ },
    })),
    {
      name: 'a body that is compressed to almost nothing',
      request: {
        method: 'POST',
        headers: [['Content-Encoding', 'gzip']],
        body: Buffer.from('1f8b080000000000000363646000000000', 'hex'),
      },
      script: 'setBody(String(readRequestBodyBytes().length))',
      expected: { status: 200, text: '17' },
    },
    {
      name: 'a body that is not UTF-8',
      request: { method: 'POST', body: Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]) },
      script: 'setBody([...readRequestBodyBytes()].join() + (readRequestBody().includes("\\ufffd")))',
      expected: { status: 200, text: '255,254,192,128,237,160,128true' },
    },
    ...rows(
      { status: 200 },
      {
        TRACE: `TRACE / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nCookie: secret\r\n\r\n`,
        'OPTIONS of everything': `OPTIONS * HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n`,
        'an upgrade to WebSocket': `GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
        'an upgrade to HTTP/2': `GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
        'a method with a body that has none': `GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc`,
        'high bytes in a value': `${GET}X-A: \xe9\xff\r\n\r\n`,
        'an empty value': `${GET}X-A:\r\nX-B: \t \r\n\r\n`,
        'a path that climbs': `GET /../../../etc/passwd?%2e%2e/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n`,
        'a path of slashes': `GET //evil.example//../ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n`,
      },
    ),
    ...rows('bad_request', { 'a body that breaks off': `${POST}Content-Length: 10\r\n\r\nabc` }).map(
      (hostile): HostileCase => ({
        ...hostile,
        raw: undefined as never,
        act: async ({ system, hostname }) => {
          // The client goes away in the middle: nobody is left to be told, and nothing may be run.
          await system.raw((hostile.raw as string).replaceAll('HOST', hostname), 200);
          return 'gone';
        },
        expected: { status: 200, text: 'gone' },
      }),
    ),
  ],
};
