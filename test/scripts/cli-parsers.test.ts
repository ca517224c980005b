import { describe, expect, test } from 'vitest';
import { invocationId, markIds } from '../../scripts/cli/invocation-id.ts';
import { momentOf } from '../../scripts/cli/moment.ts';
import { printable, printableLine } from '../../scripts/cli/printable.ts';
import { rateOption } from '../../scripts/cli/rate.ts';
import { framesOf } from '../../scripts/cli/script-frames.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');

test.for([
  ['90s', '2026-11-25T11:58:30.000Z'],
  ['30m', '2026-11-25T11:30:00.000Z'],
  ['2h', '2026-11-25T10:00:00.000Z'],
  ['1.5h', '2026-11-25T10:30:00.000Z'],
  ['7d', '2026-11-18T12:00:00.000Z'],
  ['1w', '2026-11-18T12:00:00.000Z'],
  ['2026-11-25', '2026-11-25T00:00:00.000Z'],
  ['2026-11-25T10:15', '2026-11-25T10:15:00.000Z'],
  ['2026-11-25 10:15:30', '2026-11-25T10:15:30.000Z'],
  ['2026-11-25T10:15:30.5Z', '2026-11-25T10:15:30.500Z'],
  ['2026-11-25T10:15+02:00', '2026-11-25T08:15:00.000Z'],
] as const)('%s is the time %s', ([given, expected]) => {
  expect(momentOf(given, NOW)).toBe(expected);
});

test.for(['', '2', 'h', '-2h', '2y', 'yesterday', '25.11.2026', '2026-13-01', '2026-11-25T25:00', '9e9d'])(
  '%j is no time',
  (given) => {
    expect(() => momentOf(given, NOW)).toThrow('Expected a time ago');
  },
);

test.for([
  ['5/s', 5],
  ['5', 5],
  ['0.5/s', 0.5],
  ['30/m', 0.5],
  ['36/h', 0.01],
  ['1000/s', 1000],
] as const)('%s is %f a second', ([given, expected]) => {
  expect(rateOption(given)).toBeCloseTo(expected);
});

test.for(['0', '0/s', '-1', '5/d', '1001', 'fast', ''])('%j is no rate', (given) => {
  expect(() => rateOption(given)).toThrow('Expected a rate');
});

test('ids that begin with a dash are told from options', () => {
  const [id, ofMany] = ['-1StGXR8_Z5jdHi6B-myT', '--StGXR8_Z5jdHi6B-myT-12'];
  const words = ['replay', id, ofMany, '--matrix', '--token', id, '-V'];
  const marked = markIds(words);
  expect(marked.map(invocationId)).toEqual(words);
  expect(marked.filter((word) => word.startsWith('-'))).toEqual(['--matrix', '--token', id, '-V']);
});

test('a terminal gets nothing to obey', () => {
  expect(printable('a\n\tb\x1b[2J\r\x9b1m\u202ec')).toBe('a\n\tb\\x1b[2J\\x0d\\x9b1m\\u202ec');
  expect(printableLine('a\nb')).toBe('a\\nb');
  expect(printable('été 日本 \u{1f600}')).toBe('été 日本 \u{1f600}');
});

describe('frames', () => {
  const script = 'function f(o) {\n\treturn o.x.y;\n}\nf({});';

  test('are those of the stack, with their source lines', () => {
    const stack = '    at f (index.js:2:13)\n    at index.js:4:1';
    expect(framesOf('TypeError: no', stack, script)).toEqual([
      { line: 2, column: 13, function: 'f', source: '\treturn o.x.y;' },
      { line: 4, column: 1, function: null, source: 'f({});' },
    ]);
  });

  test('of a syntax error are in its message', () => {
    const message = "SyntaxError: Unexpected token ';' [index.js:1:9]";
    expect(framesOf(message, message, 'let a = ;')).toEqual([
      { line: 1, column: 9, function: null, source: 'let a = ;' },
    ]);
  });

  test('of eval are where it was called', () => {
    const stack = '    at eval (eval at <anonymous> (index.js:1:1), <anonymous>:1:1)\n    at index.js:1:1';
    expect(framesOf('ReferenceError', stack, 'eval("x")')).toMatchObject([{ line: 1, column: 1 }]);
  });

  test('that a script has made up have no source', () => {
    expect(
      framesOf('Error', 'at index.js:99:1\nat index.js:4:99', script).map(({ source }) => source),
    ).toEqual([null, null]);
    expect(framesOf('at index.js:1:1 it said', null, script)).toEqual([]);
  });

  test('are places without a source when the script is gone', () => {
    expect(framesOf('Error', '    at index.js:4:1', undefined)).toEqual([
      { line: 4, column: 1, function: null, source: null },
    ]);
  });
});
