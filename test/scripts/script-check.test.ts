import { describe, expect, test } from 'vitest';
import { checkScript, MAX_SCRIPT_BYTES } from '../../scripts/cli/script-check.ts';

function refusalOf(source: string | Buffer): string | undefined {
  try {
    checkScript(Buffer.from(source as string), 'my.js');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('accepted', () => {
  test.for([
    ['calls of the script API', 'setStatus(204);'],
    ['a byte order mark', '\uFEFFsetBody("x")'],
    ['a NUL in a string', 'setBody("a\0b")'],
    ['a hashbang', '#!/usr/bin/env node\nsetBody("x")'],
    ['CRLF', 'let a = 1;\r\nlet b = 2;\r\n'],
    ['only a comment', '// later'],
    ['exactly 1 MiB', `//${'x'.repeat(MAX_SCRIPT_BYTES - 2)}`],
  ] as const)('%s', ([, source]) => {
    expect(refusalOf(source)).toBe(undefined);
  });

  test('a script is not run', () => {
    expect(refusalOf('throw new Error("ran")')).toBe(undefined);
  });
});

describe('refused', () => {
  test.for([
    ['no bytes', '', 'my.js: the script is empty'],
    ['white space', ' \n\t\r\n\uFEFF', 'my.js: the script is empty'],
    ['not UTF-8', Buffer.from([0x61, 0xff]), 'my.js: the script is not UTF-8 text'],
    [
      'a byte over 1 MiB',
      'x'.repeat(MAX_SCRIPT_BYTES + 1),
      'my.js: the script is over the limit of 1 MiB (1,048,576 bytes)',
    ],
  ] as const)('%s', ([, source, message]) => {
    expect(refusalOf(source)).toBe(message);
  });
});

describe('a syntax error is told with its place', () => {
  test.for([
    ['in the second line', 'let a = 1;\nlet b = ;\n', '2:9', 'let b = ;', '        ^'],
    ['behind tabs', '\ta =\t;', '1:6', '\ta =\t;', '\t   \t^'],
    ['after CRLF', 'a\r\nb c', '2:3', 'b c', '  ^'],
    ['after a line separator', 'a\u2028b c', '2:3', 'b c', '  ^'],
    ['behind other than ASCII', 'a = "é日本"; b c', '1:14', 'a = "é日本"; b c', '             ^'],
    ['at the end', '{\n', '2:1', '', '^'],
    ['with another name given by the source', '//# sourceURL=other.js\na b', '2:3', 'a b', '  ^'],
  ] as const)('%s', ([, source, place, line, caret]) => {
    expect(refusalOf(source)).toMatch(new RegExp(`^my\\.js:${place}: SyntaxError: `));
    expect(refusalOf(source)?.split('\n').slice(1)).toEqual([`  ${line}`, `  ${caret}`]);
  });

  test('in a long line only the part around it is shown', () => {
    const [first, line, caret] =
      refusalOf(`${'f();'.repeat(10_000)}a b;${'f();'.repeat(10_000)}`)?.split('\n') ?? [];
    expect(first).toBe("my.js:1:40003: SyntaxError: Unexpected identifier 'b'");
    expect(line?.length).toBeLessThan(110);
    expect(line?.[caret?.indexOf('^') ?? 0]).toBe('b');
  });
});

describe('a module gets a hint', () => {
  test.for(['import x from "y"', 'export default {}', 'export const a = 1', 'await x', 'import.meta.url'])(
    '%s',
    (source) => {
      expect(refusalOf(source)).toMatch(/\nHint: this looks like a module\. .* no import, no export/);
    },
  );

  test('no other script does', () => {
    expect(refusalOf('let b = ;')).not.toContain('Hint');
  });
});
