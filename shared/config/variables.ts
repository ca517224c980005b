import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { GRANTABLE, V8_FLAGS } from '../engine.ts';
import {
  blueprintSource,
  decimal,
  headerNames,
  integer,
  keepCompleted,
  listOf,
  networks,
  port,
  text,
  url,
} from './kinds.ts';

/** One environment variable. */
export interface Variable {
  /** What an unset variable counts as; `undefined`: it stays unset. */
  readonly default: string | undefined;
  /** As the README's table has it; where it is not the default itself. */
  readonly defaultText?: string;
  readonly expected: string;
  readonly meaning: string;
  readonly secret?: true;
  readonly schema: z.ZodType<unknown, string>;
}

/** Every environment variable. The README's table is held to this one by a test. */
export const VARIABLES = {
  PORT: { ...port('8080'), meaning: "the gateway's public port" },
  HOST: { ...text('0.0.0.0', 'an address to bind'), meaning: "the gateway's bind address" },
  ADMIN_PORT: { ...port(undefined), meaning: 'port of the admin interface; unset: there is none' },
  ADMIN_TOKEN: {
    ...text(undefined, 'at least 16 characters', 16),
    secret: true,
    meaning: 'bearer token of the admin interface; unset: only `/healthz` and `/readyz` are served',
  },
  REDIS_URL: {
    ...url('redis://127.0.0.1:6379', ['redis:', 'rediss:']),
    secret: true,
    meaning: 'the Redis that holds the queue, `redis://` or `rediss://`',
  },
  QUEUE_PREFIX: {
    ...text('lc500', 'letters, digits, `-` and `_`', 1, /^[\w-]+$/),
    meaning: 'prefix of every Redis key, so that several deployments can share one Redis',
  },
  AWS_ENDPOINT: {
    ...url(undefined, ['http:', 'https:']),
    meaning: 'S3-compatible server that stores the scripts; unset: AWS itself',
  },
  AWS_REGION: {
    ...text(undefined, 'the name of a region'),
    meaning: "region of the bucket; unset: the SDK's own",
  },
  AWS_BUCKET: {
    ...text(undefined, 'the name of a bucket'),
    meaning: 'bucket that stores the scripts (runner and CLI need it)',
  },
  AWS_ACCESS_KEY_ID: {
    ...text(undefined, 'an access key id'),
    secret: true,
    meaning: "storage credentials; unset: the SDK's own credential chain",
  },
  AWS_SECRET_ACCESS_KEY: {
    ...text(undefined, 'a secret access key'),
    secret: true,
    meaning: "storage credentials; unset: the SDK's own credential chain",
  },
  BLUEPRINT_TARGET: {
    default: undefined,
    expected: '`host:port`, `http://host:port`, or `s3`',
    schema: z.string().transform(blueprintSource),
    meaning: 'HTTP server that is asked for blueprints, or `s3`; unset: the empty blueprint',
  },
  SCRIPT_TIMEOUT_MS: { ...integer(1000, 1, 600_000), meaning: "a script's time, wall clock" },
  SCRIPT_MEMORY_MB: { ...integer(64, 8, 4096), meaning: "heap of one script's isolate, MiB" },
  SANDBOX_MEMORY_MB: {
    ...integer(192, 96, 16_384),
    meaning: 'resident memory of one sandbox process, MiB; over it the process is killed (Linux)',
  },
  SANDBOX_LAUNCHER: {
    default: 'auto',
    expected: 'auto, process, user or namespaced',
    schema: z.enum(['auto', 'process', 'user', 'namespaced']),
    meaning: 'how strong the walls around a sandbox must be; `auto`: as strong as the machine allows',
  },
  SANDBOX_UID: {
    ...integer(61_184, 1, 2 ** 31),
    meaning: 'first of 4,096 user ids that sandboxes run as, each its own, when the runner is root',
  },
  SANDBOX_V8_FLAGS: {
    ...listOf(V8_FLAGS),
    meaning: 'V8 options that take compilers away, such as `--disable-optimizing-compilers`',
  },
  SANDBOX_GRANTS: {
    ...listOf(GRANTABLE),
    meaning: 'what scripts may use of `WebAssembly`, `SharedArrayBuffer`, `Atomics` and `Temporal`',
  },
  SANDBOX_CLOCK_MS: {
    ...integer(1, 0, 10_000),
    meaning: 'steps of the clock that scripts read; 0: it stands still while a script runs',
  },
  REQUEST_DEADLINE_MS: {
    ...integer(25_000, 10, 600_000),
    meaning: "a request's time from arrival to answer",
  },
  MAX_REQUEST_BYTES: {
    ...integer(1_048_576, 0, 64 * 1_048_576),
    meaning: 'largest request body; the same for gateways and runners',
  },
  MAX_RESPONSE_BYTES: {
    ...integer(5 * 1_048_576, 0, 64 * 1_048_576),
    meaning: 'largest answer, and largest blueprint',
  },
  MAX_HEADER_BYTES: {
    ...integer(16_384, 1024, 1_048_576),
    meaning: 'request line and headers of a request',
  },
  MAX_HEADERS: { ...integer(200, 1, 10_000), meaning: 'headers of a request' },
  HEADERS_TIMEOUT_MS: {
    ...integer(10_000, 100, 600_000),
    meaning: 'time for the headers of a request to arrive',
  },
  REQUEST_TIMEOUT_MS: { ...integer(20_000, 100, 600_000), meaning: 'time for a whole request to arrive' },
  ANSWER_TIMEOUT_MS: {
    ...integer(60_000, 100, 3_600_000),
    meaning: 'time for a client to take its whole answer; after it the connection is closed',
  },
  KEEP_ALIVE_TIMEOUT_MS: {
    ...integer(75_000, 100, 3_600_000),
    meaning: 'how long a connection may lie idle; longer than the proxy in front keeps its own',
  },
  MAX_PIPELINED: {
    ...integer(64, 1, 10_000),
    meaning: 'requests of one connection that are under way at a time',
  },
  MAX_CONNECTIONS: { ...integer(16_384, 1, 1_000_000), meaning: 'connections to one gateway' },
  MAX_CONNECTIONS_PER_ADDRESS: {
    ...integer(1024, 1, 1_000_000),
    meaning:
      'of those from one IPv4 address or IPv6 /64; for clients behind `TRUSTED_PROXIES`: requests under way',
  },
  MAX_BODY_MEMORY_MB: {
    ...integer(128, 1, 65_536),
    meaning: 'request bodies that one gateway holds, MiB, and as much again for answers not yet taken',
  },
  TRUSTED_PROXIES: {
    default: undefined,
    expected: 'addresses and CIDR blocks, or `none`',
    schema: z.string().transform(networks),
    meaning:
      'proxies in front that are believed whom they speak for, as addresses and CIDR blocks, or `none`; unset: see below',
  },
  PROXY_HEADER: {
    default: 'x-forwarded-for',
    defaultText: 'X-Forwarded-For',
    expected: 'X-Forwarded-For or Forwarded',
    schema: z
      .string()
      .toLowerCase()
      .pipe(z.enum(['x-forwarded-for', 'forwarded'])),
    meaning: 'the header in which they say it, `X-Forwarded-For` or `Forwarded` (RFC 7239)',
  },
  IDEMPOTENCY_HOURS: {
    ...decimal(24, 0.0001, 8760),
    meaning:
      'how long the answer to a request with an `Idempotency-Key` is kept, hours; `0.5` is half an hour',
  },
  IDEMPOTENCY_MAX_BYTES: {
    ...integer(262_144, 0, 64 * 1_048_576),
    meaning: 'largest answer that is kept for an `Idempotency-Key`, headers included',
  },
  ASYNC_TIMEOUT_MS: {
    ...integer(20_000, 1, 600_000),
    meaning:
      "an asynchronous request's script's time, wall clock; over `SHUTDOWN_GRACE_MS` a restart cuts it off",
  },
  ASYNC_DEADLINE_MS: {
    ...integer(3_600_000, 10, 12 * 3_600_000),
    meaning: "an asynchronous request's time from arrival to answer",
  },
  ASYNC_RETENTION_HOURS: {
    ...decimal(24, 0.0001, 8760),
    meaning: 'how long the answer to an asynchronous request is kept, hours',
  },
  ASYNC_MAX_WAITING: {
    ...integer(1000, 1, 1_000_000),
    meaning: 'asynchronous requests that may wait, with their bodies in Redis; one more is `overloaded`',
  },
  CALLBACK_TARGETS: {
    default: 'public',
    expected: 'public or any',
    schema: z.enum(['public', 'any']),
    meaning: 'what tenants may name as callback URL: `https://` at public addresses, or anything (for tests)',
  },
  CALLBACK_TIMEOUT_MS: { ...integer(10_000, 10, 25_000), meaning: 'time for one try of a callback' },
  CALLBACK_ATTEMPTS: { ...integer(12, 1, 100), meaning: 'how often a callback is tried' },
  CALLBACK_BACKOFF_MS: {
    ...integer(5000, 10, 3_600_000),
    meaning: 'pause after the first try of a callback at most; then twice as long each time',
  },
  FAILED_RETENTION_HOURS: {
    ...decimal(168, 0.0001, 8760),
    meaning: 'how long failed invocations are kept, hours',
  },
  FAILED_RETENTION_COUNT: {
    ...integer(10_000, 0, 1_000_000),
    meaning: 'how many failed invocations are kept, and as many outcomes of replays; 0: none',
  },
  FAILED_RETENTION_MB: {
    ...integer(100, 1, 1_000_000),
    meaning:
      'how much of Redis they may take, MiB, and as much outcomes of replays and answered invocations each',
  },
  KEEP_COMPLETED: {
    default: '0',
    expected: 'a whole number up to 1000000, or a share such as `1%`',
    schema: z.string().transform(keepCompleted),
    meaning: 'answered invocations that are kept, too: this many of the newest, or this share of all (`1%`)',
  },
  REDACT_HEADERS: {
    default: 'authorization, cookie, proxy-authorization',
    expected: 'names of headers with commas between them, or `none`',
    schema: z.string().transform(headerNames),
    meaning: 'request headers that are kept encrypted with `RECORD_KEY`, or not at all without it; or `none`',
  },
  RECORD_KEY: {
    ...text(undefined, '32 bytes in hexadecimal', 64, /^[0-9a-fA-F]{64}$/),
    secret: true,
    meaning: 'key for `REDACT_HEADERS`, 32 bytes in hexadecimal (`openssl rand -hex 32`)',
  },
  RUNNER_SANDBOXES: {
    ...integer(availableParallelism(), 1, 256),
    defaultText: 'number of cores',
    meaning: 'sandboxes of one runner: how many scripts it runs at a time',
  },
  SPARE_SANDBOXES: {
    ...integer(2, 0, 256),
    meaning: 'sandboxes beside those, for tenants with brief scripts while others hold all with long ones',
  },
  LONG_RUN_NICE: {
    ...integer(10, 0, 19),
    meaning:
      'how far scripts that are long, or of which nothing is known, and sandboxes that start give way to everything else (nice value; Linux, `CAP_SYS_NICE`); 0: not at all',
  },
  TENANT_WAIT_MS: {
    ...integer(2000, 0, 600_000),
    meaning: 'how long a tenant may wait behind its own requests while others want sandboxes',
  },
  SCRIPT_REVALIDATE_MS: {
    ...integer(1000, 0, 1000),
    meaning: 'how long a script is served before the storage is asked for a newer one',
  },
  SCRIPT_STALE_MS: {
    ...integer(3_600_000, 0, 7 * 86_400_000),
    meaning: 'how long a script is served though the storage is away',
  },
  SCRIPT_CACHE_MB: { ...integer(64, 1, 16_384), meaning: "scripts kept in one runner's memory, MiB" },
  UPSTREAM_TIMEOUT_MS: {
    ...integer(2000, 10, 600_000),
    meaning: 'time for one try to get an answer of the storage or of the blueprint server',
  },
  AUTOSCALE_ADAPTER: {
    ...text('none', '`local`, `heroku` or `none`', 1, /^(local|heroku|none)$/),
    meaning: 'what the autoscaler acts on: this machine, a Heroku app, or nothing (it only publishes)',
  },
  TARGET_WAIT_MS: {
    ...integer(500, 10, 60_000),
    meaning: 'what 99 % of requests shall wait at most for a sandbox',
  },
  MIN_RUNNERS: {
    ...integer(1, 0, 1000),
    meaning: 'fewest runners; with 0 the last one goes when nothing comes for `AUTOSCALE_IDLE_MS`',
  },
  MAX_RUNNERS: { ...integer(10, 1, 1000), meaning: 'most runners' },
  AUTOSCALE_INTERVAL_MS: { ...integer(2000, 100, 60_000), meaning: 'how often the autoscaler decides' },
  AUTOSCALE_START_MS: {
    default: undefined,
    expected: 'a whole number from 100 to 600000',
    schema: integer(0, 100, 600_000).schema,
    meaning: "time from a runner's order to its first job; unset: 1,000 for `local`, else 15,000",
  },
  AUTOSCALE_QUIET_MS: {
    ...integer(60_000, 0, 3_600_000),
    meaning: 'how long fewer runners must be enough before one is taken away',
  },
  AUTOSCALE_IDLE_MS: {
    ...integer(300_000, 1000, 86_400_000),
    meaning: 'how long nothing must come before the last runner goes',
  },
  HEROKU_APP: {
    ...text(undefined, 'the name or id of an app', 1, /^[\w-]+$/),
    meaning: 'the app whose `runner` processes the `heroku` adapter scales',
  },
  HEROKU_API_TOKEN: {
    ...text(undefined, 'a token'),
    secret: true,
    meaning: 'token for the Platform API (`heroku authorizations:create`)',
  },
  HEROKU_API_URL: {
    ...url('https://api.heroku.com', ['http:', 'https:']),
    meaning: 'the Platform API',
  },
  SHUTDOWN_GRACE_MS: {
    ...integer(27_000, 0, 600_000),
    meaning: 'time to finish what was begun after SIGTERM (Heroku kills after 30 s)',
  },
  LOG_LEVEL: {
    ...text(
      'info',
      'one of trace, debug, info, warn, error, fatal, silent',
      1,
      /^(trace|debug|info|warn|error|fatal|silent)$/,
    ),
    meaning: 'least severity that is logged',
  },
} as const satisfies Record<string, Variable>;
