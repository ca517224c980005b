import { expect, test } from 'vitest';
import { fingerprintOf, idempotencyKeyOf } from '../../gateway/idempotency-key.ts';
import type { InvocationRequest } from '../../shared/invocation.ts';

test.each([
  ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
  ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
  ['"a b, c; d"', 'a b, c; d'],
  [String.raw`"say \"x\" \\ y"`, String.raw`say "x" \ y`],
  ['"a";v=1;w="x;\\"y";z;t=*a/b;b=:aGk=:;f=?1;d=-1.5', 'a'],
  [`"${'k'.repeat(255)}"`, 'k'.repeat(255)],
  ['order_1.2:3~+/=@', 'order_1.2:3~+/=@'],
])('%s is the key %s', (field, key) => {
  expect(idempotencyKeyOf('POST', field)).toBe(key);
});

test.each([
  '',
  '""',
  '"',
  '"a',
  'a"',
  '"a""b"',
  '"a", "b"',
  'a, b',
  '"a" b',
  String.raw`"\a"`,
  '"ü"',
  '"a\tb"',
  'a b',
  '"a";',
  '"a";=1',
  `"${'k'.repeat(256)}"`,
  'k'.repeat(256),
  '\\'.repeat(5000),
])('%j is malformed', (field) => {
  expect(() => idempotencyKeyOf('PATCH', field)).toThrow(
    expect.objectContaining({ code: 'idempotency_key_invalid' }),
  );
});

test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])('%s needs no key', (method) => {
  expect(idempotencyKeyOf(method, '"a"')).toBeUndefined();
  expect(idempotencyKeyOf(method, '"')).toBeUndefined();
});

const REQUEST: InvocationRequest = {
  method: 'POST',
  url: '/a?b',
  headers: [['Content-Type', 'text/plain']],
  body: Buffer.from('body'),
};

test.each<[string, Partial<InvocationRequest>]>([
  ['method', { method: 'PATCH' }],
  ['path', { url: '/b?b' }],
  ['query', { url: '/a?c' }],
  ['body', { body: Buffer.from('bodY') }],
  ['content type', { headers: [['Content-Type', 'text/html']] }],
  ['no content type', { headers: [] }],
  ['credentials', { headers: [...REQUEST.headers, ['Authorization', 'Bearer x']] }],
  ['cookie', { headers: [...REQUEST.headers, ['Cookie', 'a=b']] }],
  ['border of two parts', { url: '/a', body: Buffer.from('?bbody') }],
])('another %s is another request', (_what, change) => {
  expect(fingerprintOf({ ...REQUEST, ...change })).not.toBe(fingerprintOf(REQUEST));
});

test('other headers may differ, and the case of their names', () => {
  const headers = [
    ['content-type', 'text/plain'] as const,
    ['User-Agent', 'x'] as const,
    ['Date', 'y'] as const,
  ];
  expect(fingerprintOf({ ...REQUEST, headers })).toBe(fingerprintOf(REQUEST));
});
