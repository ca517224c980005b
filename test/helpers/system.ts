import { CreateBucketCommand, PutObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { inject } from 'vitest';
import { loadConfig } from '../../shared/config.ts';
import { scriptKeyOf } from '../../shared/invocation.ts';
import { createS3 } from '../../shared/s3.ts';
import { startChild, type Child } from './child.ts';
import { sendRaw, sendRequest, type Answer, type RawAnswer, type RequestOptions } from './http.ts';
import { isAlive, wholeTree } from './process-tree.ts';
import { waitFor } from './wait.ts';

export interface System extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly gateway: Child;
  readonly runners: readonly Child[];
  readonly port: number;
  readonly adminPort: number;
  /** A connection of the test's own. */
  readonly redis: Redis;
  deploy(hostname: string, source: string): Promise<void>;
  putObject(key: string, body: string | Buffer): Promise<void>;
  deleteObject(key: string): Promise<void>;
  request(options: RequestOptions): Promise<Answer>;
  /** Bytes as they are, to the public port. */
  raw(parts: string | Buffer | AsyncIterable<Buffer>, timeoutMs?: number): Promise<RawAnswer>;
  /** @param change environment of this runner alone */
  addRunner(change?: Readonly<Record<string, string>>): Promise<Child>;
  addGateway(): Promise<{ child: Child; port: number; adminPort: number }>;
}

export interface SystemOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly runners?: number;
}

/** One gateway and some runners as real processes, with a queue and a bucket of their own. */
export async function startSystem({
  env: extra = {},
  runners: count = 1,
}: SystemOptions = {}): Promise<System> {
  const name = `test-${nanoid(10).toLowerCase().replaceAll('_', 'x')}`;
  const env = {
    ...inject('services'),
    AWS_BUCKET: `${name}x`,
    QUEUE_PREFIX: name,
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    RUNNER_SANDBOXES: '2',
    // Only tests of overload need it, and every process that starts costs all others time.
    SPARE_SANDBOXES: '0',
    SCRIPT_REVALIDATE_MS: '0',
    ...extra,
  };
  const s3 = createS3(loadConfig(env));
  const Bucket = env.AWS_BUCKET;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const children: Child[] = [];
  const runners: Child[] = [];
  const start = (entry: string, change: Readonly<Record<string, string>> = {}): Child => {
    const child = startChild(entry, { ...env, ...change });
    children.push(child);
    return child;
  };
  const addRunner = async (change: Readonly<Record<string, string>> = {}): Promise<Child> => {
    const runner = start('runner/main.ts', change);
    runners.push(runner);
    await runner.logged('runner takes jobs');
    return runner;
  };
  const addGateway = async () => {
    const child = start('gateway/main.ts');
    const { port, adminPort } = await child.logged('gateway listens');
    return { child, port: Number(port), adminPort: Number(adminPort) };
  };
  const [gateway] = await Promise.all([addGateway(), ...Array.from({ length: count }, () => addRunner())]);
  const redis = new Redis(env.REDIS_URL);
  const putObject = async (key: string, body: string | Buffer): Promise<void> => {
    await s3.send(
      new PutObjectCommand({ Bucket, Key: key, Body: typeof body === 'string' ? Buffer.from(body) : body }),
    );
  };
  return {
    env,
    gateway: gateway.child,
    runners,
    port: gateway.port,
    adminPort: gateway.adminPort,
    redis,
    putObject,
    deploy: (hostname, source) => putObject(scriptKeyOf(hostname), source),
    deleteObject: async (key) => void (await s3.send(new DeleteObjectCommand({ Bucket, Key: key }))),
    request: (options) => sendRequest(gateway.port, options),
    raw: (parts, timeoutMs) => sendRaw(gateway.port, parts, timeoutMs),
    addRunner,
    addGateway,
    async [Symbol.asyncDispose]() {
      await stopAll(children);
      redis.disconnect();
      s3.destroy();
    },
  };
}

/** Ends every process in order, and fails when one of them left a child behind. */
async function stopAll(children: readonly Child[]): Promise<void> {
  const descendants = children.flatMap((child) => wholeTree(child.pid).slice(1));
  // A test may have left one frozen.
  for (const child of children) child.signal('SIGCONT');
  for (const child of children) child.signal('SIGTERM');
  await Promise.all(children.map((child) => child.exit));
  const left = (): number[] => descendants.map(({ pid }) => pid).filter(isAlive);
  await waitFor('the end of all that they started', () => left().length === 0, {
    details: () => `left: ${left().join()}`,
  });
}
