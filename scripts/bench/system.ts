import { PutObjectCommand } from '@aws-sdk/client-s3';
import { join } from 'node:path';
import { loadConfig } from '../../shared/config.ts';
import { scriptKeyOf } from '../../shared/invocation.ts';
import { createS3 } from '../../shared/s3.ts';
import { portOf, startChild } from './child.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A gateway and its runners with a queue of their own. */
export interface System extends AsyncDisposable {
  readonly port: number;
  /** Of its keys in Redis. */
  readonly prefix: string;
  readonly gateway: number;
  /** Process ids. */
  readonly runners: readonly number[];
}

/**
 * @param env leads to Redis and S3
 * @param options `change` is the rest of the processes' environment
 */
export async function startSystem(
  env: Readonly<Record<string, string>>,
  options: { name: string; runners?: number; change?: Readonly<Record<string, string>> },
): Promise<System> {
  const { name, runners: count = 1, change = {} } = options;
  const prefix = `bench-${name}`;
  const own = { HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', QUEUE_PREFIX: prefix };
  const whole = { PATH: process.env['PATH'], ...env, ...own, ...change };
  await using stack = new AsyncDisposableStack();
  const runners: number[] = [];
  for (let i = 0; i < count; i++) {
    const file = join(ROOT, 'runner/main.ts');
    const runner = await startChild(process.execPath, [file], whole, takesJobs);
    runners.push(stack.use(runner).pid);
  }
  const file = join(ROOT, 'gateway/main.ts');
  const gateway = stack.use(await startChild(process.execPath, [file], whole, portOf));
  const owned = stack.move();
  return {
    port: gateway.ready,
    prefix,
    gateway: gateway.pid,
    runners,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function takesJobs(line: string): true | undefined {
  return line.includes('"runner takes jobs"') ? true : undefined;
}

/** Puts objects into the bucket: scripts by hostname, anything else by key. */
export async function store(
  env: Readonly<Record<string, string>>,
  objects: { scripts: ReadonlyMap<string, string>; others?: ReadonlyMap<string, string> },
): Promise<void> {
  const s3 = createS3(loadConfig(env));
  const scripts = [...objects.scripts].map(([host, source]) => [scriptKeyOf(host), source] as const);
  for (const [Key, Body] of [...scripts, ...(objects.others ?? [])]) {
    await s3.send(new PutObjectCommand({ Bucket: env['AWS_BUCKET'], Key, Body }));
  }
  s3.destroy();
}
