import { expect, test } from 'vitest';
import { asyncPreferenceOf, parsePrefer, preferenceApplied } from '../../gateway/async/preference.ts';

const MAX_MS = 25_000;

test.each<[string, number]>([
  ['respond-async', 0],
  ['Respond-Async', 0],
  ['respond-async, wait=5', 5000],
  ['wait=5,respond-async', 5000],
  ['respond-async; wait=5', 0],
  ['respond-async;foo="a, wait=9"; bar, wait=5', 5000],
  ['return=minimal, respond-async , Wait = "10"', 10_000],
  ['foo="respond-async, wait=1", respond-async, wait=2', 2000],
  [String.raw`foo="\", wait=1", respond-async, wait=2`, 2000],
  ['respond-async, wait=1, wait=9', 1000],
  ['respond-async=""', 0],
  ['respond-async=', 0],
  ['respond-async, wait=0', 0],
  ['respond-async, wait=99999999999999999999999999', MAX_MS],
  ['respond-async, wait=-1', 0],
  ['respond-async, wait=1.5', 0],
  ['respond-async, wait=soon', 0],
  ['respond-async, wait', 0],
  [', ,respond-async,,', 0],
  ['"broken, respond-async', NaN],
  ['=x, respond-async', 0],
])('%s: asynchronous, after %s ms', (field, waitMs) => {
  expect(asyncPreferenceOf(field, MAX_MS)).toEqual(Number.isNaN(waitMs) ? undefined : { waitMs });
});

test.each([
  undefined,
  '',
  'wait=5',
  'return=representation',
  'respond-asynchronously',
  'respond-async=no',
  'respond-async=no, respond-async',
  'x="respond-async"',
  'respond async',
])('%s: not asynchronous', (field) => {
  expect(asyncPreferenceOf(field, MAX_MS)).toBeUndefined();
});

test('the names are those of the list, in lower case, with their values', () => {
  expect([...parsePrefer('A=1; x=2, b="c\\"d", a=3')]).toEqual([
    ['a', '1'],
    ['b', 'c"d'],
  ]);
});

test('what was applied is what was granted', () => {
  const preference = asyncPreferenceOf('respond-async, wait=100', MAX_MS);
  expect(preferenceApplied(preference, true)).toEqual([['Preference-Applied', 'respond-async, wait=25']]);
  expect(preferenceApplied(preference, false)).toEqual([['Preference-Applied', 'wait=25']]);
  expect(preferenceApplied({ waitMs: 0 }, true)).toEqual([['Preference-Applied', 'respond-async']]);
  expect(preferenceApplied(undefined, false)).toEqual([]);
});
