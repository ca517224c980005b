import { describe, expect, test } from 'vitest';
import { parseHost, parseHostname } from '../../shared/hostname.ts';

const LABEL_63 = 'a'.repeat(63);
const NAME_253 = `${`${LABEL_63}.`.repeat(3)}${'a'.repeat(61)}`;

describe('one tenant', () => {
  test.each([
    'example.com',
    'EXAMPLE.com',
    'example.com.',
    'example.com:8080',
    'example.com:',
    'example。com',
    'ｅxample.com',
  ])('%s', (host) => expect(parseHost(host)).toBe('example.com'));
});

test.each([
  ['localhost', 'localhost'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['xn--bcher-kva.example:1', 'xn--bcher-kva.example'],
  ['a_b.example', 'a_b.example'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['[::1]:80', '[::1]'],
  ['[2001:DB8::1]', '[2001:db8::1]'],
  [`${LABEL_63}.example`, `${LABEL_63}.example`],
  [NAME_253, NAME_253],
])('%s is %s', (host, hostname) => expect(parseHost(host)).toBe(hostname));

test.each([
  '',
  ' ',
  '.',
  '..',
  '../../other',
  'a/b',
  'a\\b',
  'a:80@evil',
  'user@a',
  'a:b',
  'a:99999',
  'a:8:8',
  'a b',
  'a\0b',
  'a\nb',
  'a%2fb',
  'a..b',
  '.a',
  '-a.example',
  'a-.example',
  'a?b',
  'a#b',
  '[::1',
  '[::g]',
  '[1.2.3.4]',
  '::1',
  '1.2.3.4.5',
  '256.1.1.1',
  'example.123',
  `${LABEL_63}a.example`,
  `${NAME_253}a`,
  'a*b',
  'a,b',
])('%j is none', (host) => expect(parseHost(host)).toBeUndefined());

test.each(['example.com:80', 'example.com:', '[::1]:80'])(
  '%s has a port, which a bare hostname has not',
  (host) => {
    expect(parseHostname(host)).toBeUndefined();
  },
);

test.each(['example.com', '[::1]', '127.0.0.1'])('%s is a bare hostname', (host) => {
  expect(parseHostname(host)).toBe(host);
});
