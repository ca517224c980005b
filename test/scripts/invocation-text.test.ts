import { expect, test } from 'vitest';
import type { Comparison, InvocationRecord } from '../../scripts/cli/admin-schema.ts';
import { comparisonAsText } from '../../scripts/cli/comparison-text.ts';
import { fixtureTest } from '../../scripts/cli/fixture-test.ts';
import { invocationAsText } from '../../scripts/cli/invocation-text.ts';
import { framesOf } from '../../scripts/cli/script-frames.ts';

const SHA = 'a'.repeat(64);

const RECORD: InvocationRecord = {
  id: 'V1StGXR8_Z5jdHi6B-myT',
  tenant: 'my.localhost',
  state: 'failed',
  code: 'script_error',
  status: 500,
  acceptedAt: '2026-11-25T02:00:00.000Z',
  finishedAt: '2026-11-25T02:00:00.012Z',
  request: {
    method: 'POST',
    url: '/a?b=\x1b[2J',
    headers: [['X-Title', '\x1b]0;owned\x07']],
    bodyBytes: 7,
    bodySha256: SHA,
    redacted: ['authorization'],
    sealed: false,
  },
  script: { key: 'my.localhost/index.js', sha256: SHA, bytes: 40, kept: true },
  blueprint: {
    key: 'my.localhost/blueprint.json',
    status: 200,
    headers: [['X-B', '1']],
    bodyBytes: 2,
    bodySha256: SHA,
    body: { encoding: 'utf8', data: '{}' },
  },
  limits: { scriptTimeoutMs: 1000, scriptMemoryMb: 64 },
  timings: { prepare: 1.25, isolate: 0.5, script: 2, total: 4 },
  attempts: 1,
  error: {
    name: 'TypeError',
    message: 'no \x1b[31mred',
    stack: '    at f (index.js:2:13)\n    at index.js:4:1',
  },
  answer: null,
  replays: ['replay-1'],
};
const SCRIPT = 'function f(o) {\n\treturn o.x.y;\n}\nf({});';

function shown(change: Partial<InvocationRecord> = {}, body: Buffer | undefined = Buffer.from('a\x1b[2J')) {
  const record = { ...RECORD, ...change };
  const frames = framesOf(record.error?.message ?? '', record.error?.stack ?? null, SCRIPT);
  return invocationAsText(record, { console: [{ level: 'warn', text: 'one\ntwo\x07' }], frames, body });
}

test('a record is shown whole, its error with the lines of the script', () => {
  expect(shown()).toBe(
    `invocation  V1StGXR8_Z5jdHi6B-myT
tenant      my.localhost
outcome     script_error 500
accepted    2026-11-25T02:00:00.000Z
finished    2026-11-25T02:00:00.012Z (after 12 ms)
script      my.localhost/index.js, 40 bytes, sha256 ${SHA}
times       prepare 1.3 ms, isolate 0.5 ms, script 2 ms, total 4 ms
limits      scriptTimeoutMs 1000, scriptMemoryMb 64
attempts    1
replays     replay-1

request
  POST /a?b=\\x1b[2J
  X-Title: \\x1b]0;owned\\x07
  (authorization: not kept, a replay goes without them)
  body: 7 bytes
  a\\x1b[2J
blueprint
  200 my.localhost/blueprint.json
  X-B: 1
  body: 2 bytes
  {}
error
  TypeError: no \\x1b[31mred
  at f (index.js:2:13)
    \treturn o.x.y;
    \t           ^
  at index.js:4:1
    f({});
    ^
console
  warn: one
  two\\x07
`,
  );
});

test.for([
  ['a body that is not text', {}, Buffer.from([0xff]), '  body: 7 bytes, not text\n'],
  ['a body that is gone', {}, undefined, '  body: 7 bytes, not kept\n'],
  ['no blueprint', { blueprint: null }, Buffer.from(''), 'blueprint\n  none\n'],
  ['no run', { timings: null, script: { ...RECORD.script, sha256: null } }, Buffer.from(''), 'none was run'],
  [
    'headers under seal',
    { request: { ...RECORD.request, sealed: true } },
    Buffer.from(''),
    'a replay sends them',
  ],
] as const)('%s is told', ([, change, body, expected]) => {
  const record = { ...RECORD, ...change } as InvocationRecord;
  expect(invocationAsText(record, { console: [], frames: [], body })).toContain(expected);
});

const COMPARISON: Comparison = {
  same: false,
  code: ['script_error', null],
  status: [500, 200],
  error: ['no\nstack', null],
  headers: [{ name: 'x-a', original: [], replay: ['1', '2'] }],
  body: { same: false, bytes: [null, 3], firstDifference: null },
};

test('a comparison names what differs', () => {
  expect(comparisonAsText(COMPARISON)).toEqual([
    '  outcome: script_error 500 → answered 200',
    '  error: no → none',
    '  header x-a: none → "1", "2"',
    '  body: none → 3 bytes',
  ]);
  expect(comparisonAsText({ ...COMPARISON, same: true })).toEqual(['  the same as before']);
});

test('a comparison shows where bodies begin to differ', () => {
  const body = { same: false, bytes: [3, 4], firstDifference: 2, excerpts: ['abc', 'ab\x9bd'] } as const;
  const both = {
    ...COMPARISON,
    code: [null, null],
    status: [200, 200],
    error: [null, null],
    headers: [],
    body,
  };
  expect(comparisonAsText(both as unknown as Comparison)).toEqual([
    '  body: 3 bytes → 4 bytes, first different at byte 2',
    '    - "abc"',
    '    + "ab\\x9bd"',
  ]);
});

test('nothing of a client or tenant is code in the test that a fixture has', () => {
  const url = '/");process.exit(1);//\u2028`${x}`';
  const record = { ...RECORD, tenant: 'a\nprocess.exit()', request: { ...RECORD.request, url } };
  const source = fixtureTest(record, '/tmp/x');
  expect(source).toContain(`test("POST /\\");process.exit(1);//\\u2028\`\${x}\` is answered", `);
  expect(source).not.toContain('\u2028');
  expect(source.split('\n').filter((line) => line.includes('process.exit()'))).toEqual([]);
});
