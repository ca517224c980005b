import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { asyncPreferenceOf, parsePrefer } from '../../gateway/async/preference.ts';
import { fuzz } from '../helpers/fuzz.ts';

const MAX_MS = 25_000;
const token = fc.string({ minLength: 1, unit: fc.constantFrom(...Array.from("aZ0-_!#$%&'*+.^`|~")) });
const text = fc.string({ unit: fc.constantFrom(...Array.from('aZ0 ,;="\\')) });
const quoted = text.map((value) => `"${value.replaceAll(/[\\"]/g, String.raw`\$&`)}"`);
const anyField = fc.oneof(
  fc.string(),
  fc.string({
    unit: fc.constantFrom('respond-async', 'wait', '=', ',', ';', '"', '\\', ' ', '\t', '5', 'é', '\0'),
  }),
);

test('a wait is a whole number of seconds within its bounds, whatever the field is', () => {
  fuzz(anyField, (field) => {
    const preference = asyncPreferenceOf(field, MAX_MS);
    if (preference === undefined) return;
    expect(field.toLowerCase()).toContain('respond-async');
    expect(preference.waitMs % 1000).toBe(0);
    expect(preference.waitMs).toBeGreaterThanOrEqual(0);
    expect(preference.waitMs).toBeLessThanOrEqual(MAX_MS);
  });
});

test('what is written by the grammar is read as it was meant', () => {
  const preference = fc.tuple(token, fc.oneof(token, quoted, fc.constant('')), fc.array(quoted));
  fuzz(fc.array(preference), (preferences) => {
    const field = preferences
      .map(([name, value, parameters]) =>
        [value === '' ? name : `${name}=${value}`, ...parameters.map((parameter) => `p=${parameter}`)].join(
          '; ',
        ),
      )
      .join(' , ');
    const expected = new Map<string, string>();
    for (const [name, value] of preferences) {
      const meant = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
      if (!expected.has(name.toLowerCase())) expected.set(name.toLowerCase(), meant);
    }
    expect(parsePrefer(field)).toEqual(expected);
  });
});

test('a long field takes no longer than its length', () => {
  for (const part of ['"', '\\', '"\\', ' ', '=', ';', 'a ', 'a="', ','])
    expect(parsePrefer(part.repeat(16_000)).size).toBeLessThanOrEqual(1);
});
