import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { portOf, startChild, type Child } from '../bench/child.ts';
import { store } from '../bench/system.ts';
import { startThrowAwayServices } from '../services/throw-away.ts';
import type { SoakOptions } from './options.ts';
import { TENANTS } from './tenants.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'the-token-of-a-soak';

export interface GatewayProcess {
  readonly pid: number;
  readonly port: number;
  readonly adminPort: number;
}

/** Everything under test, on services of its own. */
export interface SoakSystem extends AsyncDisposable {
  readonly redis: Redis;
  readonly prefix: string;
  readonly gateways: readonly GatewayProcess[];
  /** Those that live. */
  readonly runners: readonly number[];
  readonly token: string;
  /** How long each killed sandbox's place was empty, ms, as runners tell. */
  readonly replacements: readonly number[];
  /** SIGKILL, and a new one in its place. Resolves when that takes jobs. */
  replaceRunner(at: number): Promise<void>;
}

export async function startSystem(options: SoakOptions): Promise<SoakSystem> {
  await using stack = new AsyncDisposableStack();
  const path = { PATH: process.env['PATH'] ?? '' };
  const services = stack.use(await startThrowAwayServices());
  await store(services.env, { scripts: TENANTS });
  const redis = new Redis(services.env.REDIS_URL);
  stack.defer(() => redis.disconnect());
  const env = { ...path, ...services.env, ...environment(options) };
  const log = await openLogs(options.logs);
  const gateways = await Promise.all(
    Array.from({ length: options.gateways }, (_, at) => startGateway(env, log(`gateway-${at}`), stack)),
  );
  let started = 0;
  const replacements: number[] = [];
  const nextRunner = (): Promise<Child> => {
    const write = log(`runner-${started++}`);
    return startRunner(env, (line) => {
      write(line);
      const ms = /"ms":(\d+),"msg":"sandbox replaced"/.exec(line)?.[1];
      if (ms !== undefined) replacements.push(Number(ms));
    });
  };
  const children = await Promise.all(Array.from({ length: options.runners }, nextRunner));
  const runners = children.map(({ pid }) => pid);
  stack.defer(async () => void (await Promise.all(children.map((child) => child[Symbol.asyncDispose]()))));
  const owned = stack.move();
  return {
    redis,
    prefix: env.QUEUE_PREFIX,
    gateways,
    runners,
    token: TOKEN,
    replacements,
    async replaceRunner(at) {
      process.kill(runners[at] as number, 'SIGKILL');
      const next = await nextRunner();
      children[at] = next;
      runners[at] = next.pid;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function environment({ sandboxes }: SoakOptions) {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    ADMIN_TOKEN: TOKEN,
    QUEUE_PREFIX: 'soak',
    LOG_LEVEL: 'info',
    RUNNER_SANDBOXES: String(sandboxes),
    // Short, so that what is kept for its keys has gone when keys are counted.
    IDEMPOTENCY_HOURS: '0.002',
  };
}

type OnLine = (line: string) => void;

/** @returns what takes the output of one process */
async function openLogs(directory: string | undefined): Promise<(name: string) => OnLine> {
  if (directory === undefined) return () => () => undefined;
  await mkdir(directory, { recursive: true });
  return (name) => {
    const file = createWriteStream(join(directory, `${name}.log`));
    return (line) => void file.write(`${line}\n`);
  };
}

async function startGateway(
  env: Readonly<Record<string, string>>,
  log: OnLine,
  stack: AsyncDisposableStack,
): Promise<GatewayProcess> {
  const file = join(ROOT, 'gateway/main.ts');
  let adminPort = 0;
  const listening = (line: string): number | undefined => {
    log(line);
    const port = portOf(line);
    if (port !== undefined) ({ adminPort } = JSON.parse(line) as { adminPort: number });
    return port;
  };
  const gateway = await startChild(process.execPath, [file], env, listening);
  stack.use(gateway);
  return { pid: gateway.pid, port: gateway.ready, adminPort };
}

function startRunner(env: Readonly<Record<string, string>>, log: OnLine): Promise<Child> {
  const file = join(ROOT, 'runner/main.ts');
  return startChild(process.execPath, [file], env, (line) => {
    log(line);
    return line.includes('"runner takes jobs"') ? true : undefined;
  });
}
