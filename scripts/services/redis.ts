import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { claimFolder } from './claim.ts';
import { installRedis } from './redis-install.ts';
import { runRedis } from './redis-process.ts';
import type { ServicesOptions } from './services.ts';

const PROGRAMS = ['valkey-server', 'redis-server'];

/** A Redis to be used; disposing it stops what was started for it. */
export interface RedisService extends AsyncDisposable {
  readonly url: string;
  /** What was started, for a reader; `undefined` when the environment names the Redis. */
  readonly embedded: string | undefined;
}

/**
 * The Redis of `REDIS_URL`; else a private server on loopback with its data under `<directory>/redis`,
 * from PATH or, as root on Debian and Ubuntu, installed first.
 *
 * @throws Error that says how to get a server
 */
export async function startRedis({ directory, env, onCrash }: ServicesOptions): Promise<RedisService> {
  if (env['REDIS_URL']) {
    return { url: env['REDIS_URL'], embedded: undefined, [Symbol.asyncDispose]: async () => undefined };
  }
  const program = (await findProgram(env)) ?? (await installed(env));
  const folder = join(directory, 'redis');
  await mkdir(folder, { recursive: true });

  await using starting = new AsyncDisposableStack();
  const claim = starting.use(await claimFolder(folder));
  const server = starting.use(await runRedis(program, folder));
  await claim.add(server.pid);
  void server.exited.then(({ expected }) => {
    if (!expected) onCrash('redis');
  });

  const started = starting.move();
  return {
    url: `redis://127.0.0.1:${server.port}`,
    embedded: `${basename(program)} ${server.version} on 127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function findProgram(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  for (const program of PROGRAMS) {
    for (const folder of folders) {
      const file = join(folder, program);
      if (await isExecutable(file)) return file;
    }
  }
  return undefined;
}

async function installed(env: NodeJS.ProcessEnv): Promise<string> {
  await installRedis(env);
  const program = await findProgram(env);
  if (program) return program;
  throw new Error('redis-server was installed but is not on PATH');
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
