import type { IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostnameOf } from '../../gateway/request.ts';
import { LC500Error } from '../../shared/errors.ts';
import { parseHost, parseHostname } from '../../shared/hostname.ts';
import { scriptKeyOf } from '../../shared/invocation.ts';
import { fuzz, thrownBy } from '../helpers/fuzz.ts';

const pieces = fc.constantFrom(
  ...Array.from('aZ09-_.:/\\@[]%#?。．０ßK\u0000\u00ad\u200d\r\n \t'),
  'xn--',
  '..',
  '::1',
  '0x7f',
  'münchen',
  '日本',
);
const hostish = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
);
const names = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);

/** Whether it can be the first part of a storage key and nothing else. */
function expectSafe(hostname: string): void {
  expect(hostname).toMatch(/^(?:[a-z0-9_.-]{1,253}|\[[0-9a-f:.]+\])$/);
  const key = scriptKeyOf(hostname);
  expect(posix.normalize(key)).toBe(key);
  expect(key.split('/')).toHaveLength(2);
}

test('whatever Host says, the hostname is safe, and normal already', () => {
  fuzz(hostish, (host) => {
    const hostname = parseHost(host);
    if (hostname === undefined) return;
    expectSafe(hostname);
    expect(parseHost(hostname)).toBe(hostname);
    expect(parseHostname(hostname)).toBe(hostname);
  });
});

test('case, port and a trailing dot make no difference', () => {
  fuzz(fc.tuple(names, fc.integer({ min: 0, max: 65_535 })), ([name, port]) => {
    const hostname = parseHost(name);
    expect(parseHost(name.toUpperCase())).toBe(hostname);
    expect(parseHost(`${name}:${port}`)).toBe(hostname);
    if (!name.startsWith('[')) expect(parseHost(`${name}.`)).toBe(hostname);
  });
});

test('a request is for a safe hostname or is refused', () => {
  const lists = fc.array(fc.tuple(fc.constantFrom('Host', 'host', 'X'), fc.oneof(names, hostish)), {
    maxLength: 3,
  });
  fuzz(fc.tuple(lists, fc.oneof(fc.webUrl(), fc.webPath(), hostish)), ([headers, url]) => {
    const message = { rawHeaders: headers.flat(), url } as unknown as IncomingMessage;
    const error = thrownBy(() => expectSafe(hostnameOf(message)));
    if (error !== undefined) expect((error as LC500Error).code).toBe('bad_host');
  });
});
