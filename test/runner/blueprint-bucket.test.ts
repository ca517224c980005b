import { expect, test } from 'vitest';
import { parseBlueprint } from '../../runner/blueprint-bucket.ts';

test('a shaped object is taken apart', () => {
  const { status, headers, body } = parseBlueprint('{"status":404,"headers":[["X-A","1"]],"body":"text"}');
  expect([status, headers, body.toString()]).toEqual([404, [['X-A', '1']], 'text']);
});

test('what is left out has its default', () => {
  const { status, headers, body } = parseBlueprint('{"body":"text"}');
  expect([status, headers, body.toString()]).toEqual([200, [], 'text']);
});

test.each([
  '{"title":"a page"}',
  '[1,2]',
  '"text"',
  'null',
  '{"status":9999}',
  '{"status":200,"more":1}',
  '{"headers":[["a b","1"]]}',
  '{"headers":[["X-A","a\\nb"]]}',
])('%s is the body of a 200', (text) => {
  const { status, headers, body } = parseBlueprint(text);
  expect([status, headers, body.toString()]).toEqual([200, [], text]);
});

test('what is not JSON is refused', () => {
  expect(() => parseBlueprint('<html>')).toThrow(SyntaxError);
});
