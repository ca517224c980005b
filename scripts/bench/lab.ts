import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ensureBucket } from '../services/s3.ts';
import { startThrowAwayServices } from '../services/throw-away.ts';
import { startServer } from './child.ts';
import { startQueueFloor, type QueueFloor } from './floors/queue.ts';
import type { Meters } from './measured-load.ts';
import { startWorkerd, type Workerd } from './peers/workerd.ts';
import { startSystem, store, type System } from './system.ts';
import { HELLO, scripts, tenantScripts } from './tenants.ts';

/** Everything that is measured, up at the same time, so that rounds can go from one to the next. */
export interface Lab extends AsyncDisposable {
  /** Environment that leads to Redis and S3. */
  readonly env: Readonly<Record<string, string>>;
  readonly systems: Readonly<Record<'plain' | 'tenants' | 's3' | 'http' | 'twoRunners', System>>;
  readonly queueFloor: QueueFloor;
  /** Port of HTTP and sandboxes without a queue. */
  readonly direct: number;
  readonly workerd: Workerd;
  /** Ports of Node's own ways. */
  readonly node: { readonly child: number; readonly vm: number };
  readonly meters: Meters;
}

/** Starts it all on services of its own, with its data in a temporary folder. */
export async function openLab(): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  let s3Requests = 0;
  const services = stack.use(await startThrowAwayServices({ onS3Request: () => s3Requests++ }));
  const { env } = services;
  const redis = new Redis(env.REDIS_URL);
  stack.defer(() => redis.disconnect());
  const blueprints = new Map([[`${HELLO}/blueprint.json`, '{"status":200,"headers":[],"body":"blueprint"}']]);
  await store(env, { scripts: scripts(), others: blueprints });

  // A bucket of their own: the S3 server for development cannot list more than a thousand objects.
  const tenants = { ...env, AWS_BUCKET: 'bench-tenants' };
  await ensureBucket(tenants);
  await store(tenants, { scripts: tenantScripts() });
  const systems = await startSystems(stack, env, tenants);
  const queueFloor = stack.use(await startQueueFloor(env.REDIS_URL));
  const direct = stack.use(await startServer(join(import.meta.dirname, 'floors/direct-server.ts'), [])).ready;
  const workerd = stack.use(await startWorkerd());
  const node = join(import.meta.dirname, 'peers/node-server.ts');
  const child = stack.use(await startServer(node, ['child'])).ready;
  const vm = stack.use(await startServer(node, ['vm'])).ready;
  const owned = stack.move();
  return {
    env,
    systems,
    queueFloor,
    direct,
    workerd,
    node: { child, vm },
    meters: { redis, s3Requests: () => s3Requests },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startSystems(
  stack: AsyncDisposableStack,
  env: Readonly<Record<string, string>>,
  tenants: Readonly<Record<string, string>>,
): Promise<Lab['systems']> {
  const start = async (name: string, change: Readonly<Record<string, string>> = {}, runners = 1) =>
    stack.use(await startSystem(env, { name, runners, change }));
  const half = String(Math.max(1, Math.floor(availableParallelism() / 2)));
  return {
    plain: await start('plain'),
    tenants: await start('tenants', { AWS_BUCKET: tenants['AWS_BUCKET'] ?? '' }),
    s3: await start('s3', { BLUEPRINT_TARGET: 's3' }),
    http: await start('http', { BLUEPRINT_TARGET: `127.0.0.1:${await startBlueprints(stack)}` }),
    twoRunners: await start('two', { RUNNER_SANDBOXES: half }, 2),
  };
}

async function startBlueprints(stack: AsyncDisposableStack): Promise<number> {
  const server = createServer((_request, response) => response.end('blueprint')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
