import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { AsyncEndings } from '../shared/async-endings.ts';
import { RedisClock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import { IdempotencyRecords } from '../shared/idempotency.ts';
import type { Logger } from '../shared/log.ts';
import { ASYNC_QUEUE_NAME, QUEUE_NAME, replyStreamKey } from '../shared/queue.ts';
import { connectFailFast, connectPatient, connectWhenThere, requireNoEviction } from '../shared/redis.ts';
import { createAbandon } from './abandon.ts';
import { createAdminApp, type Probes } from './admin/app.ts';
import { admissionMetrics } from './admin/admission.ts';
import { clientMetrics } from './admin/clients.ts';
import { invocationMetrics } from './admin/invocations.ts';
import { asyncMetrics } from './admin/async-metrics.ts';
import { startAdmission } from './admission/start-admission.ts';
import { createApp } from './app.ts';
import { limitConnections } from './connections.ts';
import { clientAddress, createEdge } from './edge.ts';
import { GatewayRegister } from './gateway-register.ts';
import { keepRecords } from './kept-records.ts';
import { Ledger } from './ledger.ts';
import { readiness } from './readiness.ts';
import { Replies } from './replies.ts';
import { sandboxLevels } from './sandbox-levels.ts';
import { createHttpServer } from './server.ts';
import { stopServer } from './stop-server.ts';

/** How long a closing gateway waits for requests that are on their way on connections that it has. */
const PATIENCE_MS = 1000;
const MAX_ADMIN_CONNECTIONS = 256;

export interface Gateway {
  /** The ports that were bound. */
  readonly port: number;
  readonly adminPort: number | undefined;
  /** Accepts nothing more, answers what is in flight, lets go of everything. */
  close(): Promise<void>;
  /** Answers what is still in flight with `gateway_closing`, so that `close` can end. */
  settle(): void;
}

/** Puts a gateway together and starts it; resolves when it listens. */
export async function startGateway(config: Config, log: Logger): Promise<Gateway> {
  await using stack = new AsyncDisposableStack();
  const redis = connectFailFast(config.REDIS_URL, log);
  stack.defer(() => redis.disconnect());
  const reader = connectPatient(config.REDIS_URL, log);
  stack.defer(() => reader.disconnect());
  await Promise.all([connectWhenThere(redis), connectWhenThere(reader)]);
  await requireNoEviction(redis, log);

  const clock = new RedisClock(redis);
  await clock.start();
  stack.defer(() => clock.stop());
  const [queue, asyncQueue] = await Promise.all([
    openQueue(QUEUE_NAME, redis, config, log, stack),
    openQueue(ASYNC_QUEUE_NAME, redis, config, log, stack),
  ]);
  const stream = replyStreamKey(config.QUEUE_PREFIX, nanoid());
  const replies = new Replies(stream, reader, redis, config, log);
  await replies.start();
  stack.defer(() => replies.close());

  const register = new GatewayRegister(redis, clock, {
    prefix: config.QUEUE_PREFIX,
    stream,
    deadlineMs: config.REQUEST_DEADLINE_MS,
    log,
  });
  await register.start();
  stack.defer(() => register.close());

  const parts = { redis, clock, prefix: config.QUEUE_PREFIX, log };
  const abandon = createAbandon({ queue, ...parts });
  const abandonAsync = createAbandon({ queue: asyncQueue, ...parts });
  const records = new IdempotencyRecords(redis);
  const asyncEndings = new AsyncEndings(redis, config.QUEUE_PREFIX);
  const ledger = new Ledger(log);
  const { admission, stop } = await startAdmission({ redis, clock, config });
  stack.defer(stop);
  const isClosing = (): boolean => !server.listening;
  const edge = createEdge(config);
  const app = createApp({
    config,
    log,
    edge,
    ledger,
    redis,
    queue,
    asyncQueue,
    replies,
    clock,
    abandon,
    abandonAsync,
    asyncEndings,
    records,
    admission,
    isClosing,
  });
  const server = createHttpServer(app.callback(), config, edge.pipelines);
  limitConnections(server, edge, config, log);
  const adminAddress = (message: IncomingMessage): string => clientAddress(edge, message);
  // Up before the public side and down after it, so that the end can be watched.
  const adminPort = await startAdmin(config, stack, adminAddress, () => ({
    readiness: async () => (isClosing() ? ['the gateway does not listen'] : readiness(redis, clock, config)),
    sandboxLevels: () => sandboxLevels(redis, clock, config.QUEUE_PREFIX),
    scaling: {
      redis,
      queue,
      prefix: config.QUEUE_PREFIX,
      others: [
        invocationMetrics(ledger, replies, register),
        clientMetrics(edge, server),
        asyncMetrics(asyncEndings),
        admissionMetrics(admission),
      ],
    },
    records: keepRecords({ config, redis, queue, asyncQueue, clock }, log, stack),
    queues: [queue, asyncQueue],
    log,
  }));
  stack.defer(() => log.info(ledger.summary(), 'what became of all requests'));
  stack.defer(() => stopServer(server, PATIENCE_MS));
  const port = await listen(server, config.PORT, config.HOST);
  log.info({ host: config.HOST, port, adminPort }, 'gateway listens');
  const owned = stack.move();
  return { port, adminPort, close: () => owned.disposeAsync(), settle: () => replies.endAll() };
}

async function openQueue(
  name: string,
  redis: Redis,
  config: Config,
  log: Logger,
  stack: AsyncDisposableStack,
): Promise<Queue> {
  const queue = new Queue(name, { connection: redis, prefix: config.QUEUE_PREFIX });
  queue.on('error', (error) => log.warn({ err: error }, 'queue'));
  stack.defer(() => queue.close());
  await queue.waitUntilReady();
  return queue;
}

async function startAdmin(
  config: Config,
  stack: AsyncDisposableStack,
  addressOf: (message: IncomingMessage) => string,
  probes: () => Probes,
): Promise<number | undefined> {
  if (config.ADMIN_PORT === undefined) return undefined;
  const server = createHttpServer(createAdminApp(probes(), config.ADMIN_TOKEN, addressOf).callback(), config);
  server.maxConnections = MAX_ADMIN_CONNECTIONS;
  stack.defer(() => stopServer(server, 0));
  return listen(server, config.ADMIN_PORT, config.HOST);
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
