import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { networkOf, parseAddress } from '../../gateway/address.ts';
import { Proxies, withClient } from '../../gateway/proxies.ts';

const TRUSTED = ['10.0.0.0/8', '192.0.2.7', 'fd00::/8'];
const CLIENT = '203.0.113.9';

function clientOf(remoteAddress: string | undefined, headers: IncomingHttpHeaders, field?: 'forwarded') {
  const message = { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
  const { address, proto, route, isBehindProxy } = new Proxies(TRUSTED, field ?? 'x-forwarded-for').clientOf(
    message,
  );
  return [address, proto, route.join(), isBehindProxy];
}

const direct = (address: string) => [address, 'http', address, false];

test.each<[title: string, peer: string | undefined, headers: IncomingHttpHeaders, expected: unknown[]]>([
  ['a stranger’s word counts for nothing', CLIENT, { 'x-forwarded-for': '1.2.3.4' }, direct(CLIENT)],
  [
    'a proxy speaks for its client',
    '10.1.1.1',
    { 'x-forwarded-for': CLIENT, 'x-forwarded-proto': 'https' },
    [CLIENT, 'https', CLIENT, true],
  ],
  [
    'what the client claims itself is cut off',
    '10.1.1.1',
    { 'x-forwarded-for': `8.8.8.8, 10.9.9.9, ${CLIENT}`, 'x-forwarded-proto': 'http, http, https' },
    [CLIENT, 'https', CLIENT, true],
  ],
  [
    'two proxies; the outer one has the encryption',
    '10.1.1.1',
    { 'x-forwarded-for': `1.1.1.1, ${CLIENT}, 192.0.2.7`, 'x-forwarded-proto': 'https, http' },
    [CLIENT, 'https', `${CLIENT},192.0.2.7`, true],
  ],
  [
    'two proxies; the inner one leaves the proto as it was',
    '10.1.1.1',
    { 'x-forwarded-for': `${CLIENT}, 192.0.2.7`, 'x-forwarded-proto': 'HTTPS' },
    [CLIENT, 'https', `${CLIENT},192.0.2.7`, true],
  ],
  ['a proxy on its own behalf', '10.1.1.1', {}, direct('10.1.1.1')],
  [
    'an unreadable entry ends it',
    '10.1.1.1',
    { 'x-forwarded-for': `${CLIENT}, nonsense` },
    direct('10.1.1.1'),
  ],
  [
    'ports and brackets',
    'fd00::1',
    { 'x-forwarded-for': '[2001:DB8::1]:443' },
    ['2001:db8::1', 'http', '2001:db8::1', true],
  ],
  ['IPv4 mapped into IPv6', '::ffff:10.1.1.1', { 'x-forwarded-for': CLIENT }, [CLIENT, 'http', CLIENT, true]],
  ['a client that has gone already', undefined, { 'x-forwarded-for': '1.2.3.4' }, direct('unknown')],
  ['the other field', '10.1.1.1', { forwarded: `for=${CLIENT}` }, direct('10.1.1.1')],
])('X-Forwarded-For: %s', (_title, peer, headers, expected) => {
  expect(clientOf(peer, headers)).toEqual(expected);
});

test.each<[title: string, field: string, expected: unknown[]]>([
  ['one element', `for=${CLIENT};proto=https;by=10.1.1.1`, [CLIENT, 'https', CLIENT, true]],
  ['quoted IPv6', 'For="[2001:db8::1]:4711"', ['2001:db8::1', 'http', '2001:db8::1', true]],
  [
    'two proxies',
    `for=1.1.1.1, for=${CLIENT};proto=https, for=192.0.2.7;proto=http`,
    [CLIENT, 'https', `${CLIENT},192.0.2.7`, true],
  ],
  ['hidden', `for=${CLIENT}, for=_hidden`, direct('10.1.1.1')],
  ['unknown', 'for=unknown;proto=https', direct('10.1.1.1')],
  ['not the field at all', `for=${CLIENT};;=`, direct('10.1.1.1')],
  ['an odd proto', `for=${CLIENT};proto=gopher`, [CLIENT, 'http', CLIENT, true]],
])('Forwarded: %s', (_title, forwarded, expected) => {
  const headers = { forwarded, 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https' };
  expect(clientOf('10.1.1.1', headers, 'forwarded')).toEqual(expected);
});

test('a script sees the truth in place of all that was claimed', () => {
  const client = {
    address: CLIENT,
    proto: 'https',
    route: [CLIENT, '192.0.2.7'],
    isBehindProxy: true,
  } as const;
  const claimed = ['Forwarded', 'x-forwarded-for', 'X-Forwarded-Host', 'X_Forwarded_For', 'X-Real-IP'];
  const headers = [
    ['Accept', '*/*'],
    ...claimed.map((name) => [name, 'a lie'] as const),
    ['Connection', 'close, X-Forwarded-For'],
  ] as const;
  expect(withClient(headers, client)).toEqual([
    ['Accept', '*/*'],
    ['X-Forwarded-For', `${CLIENT}, 192.0.2.7`],
    ['X-Forwarded-Proto', 'https'],
  ]);
  expect(withClient([['Connection', 'keep-alive']], client)).toContainEqual(['Connection', 'keep-alive']);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1:80', '192.0.2.1'],
  ['[::1]', '::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['192.0.2.256', undefined],
  ['_hidden', undefined],
  ['', undefined],
])('the address in %s', (text, expected) => expect(parseAddress(text)).toBe(expected));

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['2001:0db8::', '2001:db8:0:0::/64'],
])('the network of %s', (address, expected) => expect(networkOf(address)).toBe(expected));
