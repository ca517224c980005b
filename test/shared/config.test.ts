import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../shared/config.ts';

function problemsOf(
  env: Record<string, string>,
  required: Parameters<typeof loadConfig>[1] = [],
): readonly string[] {
  try {
    loadConfig(env, required);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('an empty environment gives the defaults', () => {
  const config = loadConfig({});
  expect(config).toMatchObject({
    PORT: 8080,
    HOST: '0.0.0.0',
    SCRIPT_TIMEOUT_MS: 1000,
    BLUEPRINT_TARGET: { kind: 'none' },
  });
  expect(config.ADMIN_PORT).toBeUndefined();
  expect(Object.isFrozen(config)).toBe(true);
});

test('hours may be parts of one', () => {
  expect(loadConfig({ IDEMPOTENCY_HOURS: '0.5' }).IDEMPOTENCY_HOURS).toBe(0.5);
});

test('an empty value counts as unset', () => {
  expect(loadConfig({ PORT: '', ADMIN_PORT: '' })).toMatchObject({ PORT: 8080 });
});

test('all bad variables are reported at once, secrets masked', () => {
  const problems = problemsOf({
    PORT: '80x',
    SCRIPT_MEMORY_MB: '1',
    IDEMPOTENCY_HOURS: '1e3',
    ADMIN_TOKEN: 'hunter2',
    REDIS_URL: 'http://user:hunter2@redis',
    LOG_LEVEL: 'loud',
    BLUEPRINT_TARGET: 'ftp://a/b',
  });
  expect(problems).toEqual([
    'PORT="80x": expected a port from 0 (any free one) to 65535',
    'ADMIN_TOKEN=***: expected at least 16 characters',
    'REDIS_URL=***: expected a URL that begins with redis:// or rediss://',
    'BLUEPRINT_TARGET="ftp://a/b": expected `host:port`, `http://host:port`, or `s3`',
    'SCRIPT_MEMORY_MB="1": expected a whole number from 8 to 4096',
    'IDEMPOTENCY_HOURS="1e3": expected a number from 0.0001 to 8760',
    'LOG_LEVEL="loud": expected one of trace, debug, info, warn, error, fatal, silent',
  ]);
});

test('a variable that a process cannot do without is named', () => {
  expect(problemsOf({}, ['AWS_BUCKET'])).toEqual(['AWS_BUCKET is not set: expected the name of a bucket']);
});

describe('BLUEPRINT_TARGET', () => {
  test.each([
    ['s3', { kind: 's3' }],
    ['blueprints:9000', { kind: 'http', origin: 'http://blueprints:9000' }],
    ['http://127.0.0.1:9000', { kind: 'http', origin: 'http://127.0.0.1:9000' }],
  ])('%s', (target, expected) => {
    expect(loadConfig({ BLUEPRINT_TARGET: target }).BLUEPRINT_TARGET).toEqual(expected);
  });

  test.each(['http://a/path', 'a:99999', 'http://user@a', ':80', 'https://a'])('%s is refused', (target) => {
    expect(problemsOf({ BLUEPRINT_TARGET: target })).toHaveLength(1);
  });
});

test.each([
  [
    { SCRIPT_TIMEOUT_MS: '2000', REQUEST_DEADLINE_MS: '1000' },
    /^SCRIPT_TIMEOUT_MS=2000: expected no more than/,
  ],
  [{ SCRIPT_MEMORY_MB: '256' }, /^SANDBOX_MEMORY_MB=192: expected at least/],
  [{ AWS_ACCESS_KEY_ID: 'only' }, /expected both or neither$/],
  [{ MIN_RUNNERS: '5', MAX_RUNNERS: '4' }, /^MIN_RUNNERS=5: expected no more than MAX_RUNNERS/],
  [{ AUTOSCALE_ADAPTER: 'heroku', HEROKU_APP: 'a' }, /^HEROKU_APP and HEROKU_API_TOKEN: expected both/],
])('%o contradicts itself', (env, message) => {
  expect(problemsOf(env as Record<string, string>)).toEqual([expect.stringMatching(message)]);
});
