import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';

import { loadConfig } from '../../shared/config.ts';
import { scriptKeyOf } from '../../shared/invocation.ts';
import { createS3 } from '../../shared/s3.ts';
import { startChild, type Child } from '../helpers/child.ts';
import { startFaultyProxy, type FaultyProxy } from '../helpers/faulty-proxy.ts';
import { wholeTree } from '../helpers/process-tree.ts';
import { startRedisProxy, type RedisProxy } from '../helpers/redis-proxy.ts';
import { waitFor } from '../helpers/wait.ts';
import { takePort } from './ports.ts';
import { startBlueprints, type Blueprints } from './blueprints.ts';
import { createRedisServer, type Persistence, type RedisServer } from './redis-server.ts';
import { SCRIPTS } from './requests.ts';

export const ADMIN_TOKEN = 'the-token-of-the-fault-suite';
export const PREFIX = 'faults';
const GATEWAYS = 2;
const RUNNERS = 2;
export const SANDBOXES = 2;

/** A process of the system that can be ended and started again. */
export interface Part {
  child: Child;
  readonly env: Readonly<Record<string, string>>;
  readonly entry: string;
  readonly ready: string;
}
export interface GatewayPart extends Part {
  readonly port: number;
  readonly adminPort: number;
}

/** Two gateways, two runners of two sandboxes, and all that they need, for one fault at some seeds. */
export interface Lab extends AsyncDisposable {
  readonly redis: RedisServer;
  /** Between the system and Redis, where the fault is one of the network. */
  readonly network: RedisProxy | undefined;
  readonly storage: FaultyProxy;
  readonly blueprints: Blueprints;
  readonly gateways: readonly GatewayPart[];
  readonly runners: readonly Part[];
  readonly deadlineMs: number;
  /** Starts a part's process again, on the same ports. */
  restart(part: Part): Promise<void>;
  /** Every process that was ever seen below a runner. */
  readonly descendantsSeen: ReadonlySet<number>;
  noteDescendants(): void;
}

export interface LabOptions {
  /** The environment of an S3 server. */
  readonly s3: Readonly<Record<string, string>>;
  readonly persistence: Persistence;
  readonly viaProxy: boolean;
  readonly deadlineMs: number;
}

let labs = 0;

export async function startLab(options: LabOptions): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await createRedisServer(options.persistence));
  await redis.start();
  const network = options.viaProxy ? stack.use(await startRedisProxy(redis.url)) : undefined;
  const storage = stack.use(await startFaultyProxy(options.s3['AWS_ENDPOINT'] as string));
  const blueprints = stack.use(await startBlueprints());
  const env = {
    ...options.s3,
    AWS_BUCKET: `faults-${process.pid}-${labs++}`,
    REDIS_URL: network?.url ?? redis.url,
    QUEUE_PREFIX: PREFIX,
    HOST: '127.0.0.1',
    RUNNER_SANDBOXES: String(SANDBOXES),
    REQUEST_DEADLINE_MS: String(options.deadlineMs),
    BLUEPRINT_TARGET: blueprints.target,
    ADMIN_TOKEN,
  };
  await deploy(env);
  const around = { ...env, AWS_ENDPOINT: storage.url };
  const parts: Part[] = [];
  stack.defer(() => endAll(parts));
  const launch = <P extends Omit<Part, 'child'>>(part: P): P & Part => {
    const launched = { ...part, child: startChild(part.entry, part.env) };
    parts.push(launched);
    return launched;
  };
  const gateways: GatewayPart[] = [];
  for (let i = 0; i < GATEWAYS; i++) {
    const [port, adminPort] = [await takePort(), await takePort()];
    const own = { ...around, PORT: String(port), ADMIN_PORT: String(adminPort) };
    gateways.push(launch({ entry: 'gateway/main.ts', env: own, ready: 'gateway listens', port, adminPort }));
  }
  const runners = Array.from({ length: RUNNERS }, () =>
    launch({ entry: 'runner/main.ts', env: around, ready: 'runner takes jobs' }),
  );
  await Promise.all(parts.map(({ child, ready }) => child.logged(ready)));
  const descendantsSeen = new Set<number>();
  const owned = stack.move();
  return {
    redis,
    network,
    storage,
    blueprints,
    gateways,
    runners,
    deadlineMs: options.deadlineMs,
    async restart(part) {
      part.child = startChild(part.entry, part.env);
      await part.child.logged(part.ready);
    },
    descendantsSeen,
    noteDescendants() {
      for (const { child } of runners)
        for (const { pid } of wholeTree(child.pid).slice(1)) descendantsSeen.add(pid);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function deploy(env: Readonly<Record<string, string>>): Promise<void> {
  const s3 = createS3(loadConfig(env));
  const Bucket = env['AWS_BUCKET'] as string;
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const [hostname, source] of Object.entries(SCRIPTS))
    await s3.send(new PutObjectCommand({ Bucket, Key: scriptKeyOf(hostname), Body: Buffer.from(source) }));
  s3.destroy();
}

async function endAll(parts: readonly Part[]): Promise<void> {
  for (const { child } of parts) child.signal('SIGCONT');
  for (const { child } of parts) child.signal('SIGTERM');
  await Promise.all(parts.map(({ child }) => endInTime(child)));
}

async function endInTime(child: Child): Promise<void> {
  await waitFor('its end', () => child.hasEnded, { timeoutMs: 5000 }).catch(() => child.signal('SIGKILL'));
  await child.exit;
}
