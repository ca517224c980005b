import { expect, test } from 'vitest';
import { foreignPart } from '../../runner/belongings.ts';
import type { Config } from '../../shared/config.ts';
import type { Invocation } from '../../shared/invocation.ts';

const CONFIG: Pick<Config, 'QUEUE_PREFIX' | 'BLUEPRINT_TARGET'> = {
  QUEUE_PREFIX: 'lc500',
  BLUEPRINT_TARGET: { kind: 's3' },
};
const BY_HTTP: typeof CONFIG = { ...CONFIG, BLUEPRINT_TARGET: { kind: 'http', origin: 'http://origin' } };
const NOW = 1e12;
const OWN: Invocation = {
  id: 'id',
  hostname: 'a.example',
  request: { method: 'GET', url: '/', headers: [], body: Buffer.alloc(0) },
  scriptKey: 'a.example/index.js',
  blueprintKey: 'a.example/blueprint.json',
  deadline: NOW + 25_000,
  replyTo: 'lc500:replies:abc_-9',
  idempotencyRecord: 'lc500:idempotency:abc_-9',
};

test.each<Partial<Invocation>>([
  {},
  { hostname: '127.0.0.1', scriptKey: '127.0.0.1/index.js', blueprintKey: null },
  { hostname: '[::1]', scriptKey: '[::1]/index.js', blueprintKey: null },
  { hostname: 'xn--bcher-kva.example', scriptKey: 'xn--bcher-kva.example/a/b.c.js', blueprintKey: null },
])('%o is its own', (change) => {
  expect(foreignPart({ ...OWN, ...change }, 'id', NOW, CONFIG)).toBeUndefined();
});

test.each<[string, Partial<Invocation>]>([
  ['id', { id: 'another' }],
  ['hostname', { hostname: '..' }],
  ['hostname', { hostname: 'a/b' }],
  ['hostname', { hostname: 'A.example' }],
  ['hostname', { hostname: '' }],
  ['hostname', { hostname: 'a'.repeat(64) }],
  ['hostname', { hostname: 'a.example\n' }],
  ['hostname', { hostname: `${'a.'.repeat(130)}a` }],
  ['scriptKey', { scriptKey: 'b.example/index.js' }],
  ['scriptKey', { scriptKey: 'a.example.b/index.js' }],
  ['scriptKey', { scriptKey: 'a.example' }],
  ['scriptKey', { scriptKey: 'a.example/../b.example/index.js' }],
  ['scriptKey', { scriptKey: 'a.example/./index.js' }],
  ['scriptKey', { scriptKey: 'a.example//index.js' }],
  ['scriptKey', { scriptKey: 'a.example/..' }],
  ['scriptKey', { scriptKey: 'a.example/index.js?versions' }],
  ['scriptKey', { scriptKey: 'a.example/%2e%2e/b.example/index.js' }],
  ['scriptKey', { scriptKey: '../a.example/index.js' }],
  ['blueprintKey', { blueprintKey: 'b.example/blueprint.json' }],
  ['blueprintKey', { blueprintKey: 'http://a.example/' }],
  ['deadline', { deadline: 1e300 }],
  ['deadline', { deadline: NOW + 2 ** 31 }],
  ['replyTo', { replyTo: 'lc500:runners' }],
  ['replyTo', { replyTo: 'other:replies:abc' }],
  ['replyTo', { replyTo: 'lc500:replies:' }],
  ['replyTo', { replyTo: 'lc500:replies:../x' }],
  ['replyTo', { replyTo: 'lc500:replies:a:b' }],
  ['idempotencyRecord', { idempotencyRecord: 'lc500:invocations:meta' }],
  ['idempotencyRecord', { idempotencyRecord: 'lc500:replies:abc' }],
])('a foreign %s is noticed: %o', (part, change) => {
  expect(foreignPart({ ...OWN, ...change }, 'id', NOW, CONFIG)).toBe(part);
});

test('a blueprint by HTTP is one of the hostname', () => {
  const ask = (blueprintKey: string) => foreignPart({ ...OWN, blueprintKey }, 'id', NOW, BY_HTTP);
  expect(ask('http://a.example/x?y=http://b')).toBeUndefined();
  for (const key of ['http://b.example/', 'http://a.example', 'http://a.example@b/', 'a.example/x'])
    expect(ask(key)).toBe('blueprintKey');
});
