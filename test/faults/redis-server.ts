import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { spawnOwned, type OwnedChild } from '../../scripts/services/children.ts';

import { waitFor } from '../helpers/wait.ts';
import { takePort } from './ports.ts';

/** A Redis of one lab's own, that can be killed and started again on its port. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** A connection of the harness's, not to be confused with those of the system under test. */
  readonly admin: Redis;
  /** Starts it; resolves when it answers, its data loaded. */
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** Throws away all that it keeps on disk; it must not run. */
  wipe(): Promise<void>;
}

/** How a Redis keeps its data: what survives SIGKILL. */
export type Persistence = 'everysec' | 'always' | 'none';

export async function createRedisServer(persistence: Persistence): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-faults-redis-'));
  const port = await takePort();
  const admin = new Redis({ port, lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  admin.on('error', () => undefined);
  let child: OwnedChild | undefined;
  const signal = (name: NodeJS.Signals): void => void (child && process.kill(child.pid, name));
  const kill = async (): Promise<void> => {
    if (!child) return;
    signal('SIGKILL');
    await child.exited;
    child = undefined;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    admin,
    async start() {
      child = await spawnOwned(
        process.env['REDIS_SERVER'] ?? 'redis-server',
        settings(port, folder, persistence),
        {
          env: process.env,
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      );
      await waitFor('Redis', () => answers(port));
      if (admin.status === 'wait') await admin.connect();
    },
    signal,
    kill,
    async wipe() {
      await rm(join(folder, 'appendonlydir'), { recursive: true, force: true });
      await rm(join(folder, 'dump.rdb'), { force: true });
    },
    async [Symbol.asyncDispose]() {
      admin.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function settings(port: number, folder: string, persistence: Persistence): string[] {
  const values = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    save: '',
    appendonly: persistence === 'none' ? 'no' : 'yes',
    appendfsync: persistence === 'always' ? 'always' : 'everysec',
    'maxmemory-policy': 'noeviction',
    loglevel: 'warning',
  };
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}

/** @returns false while it is not there, and while it loads its data */
async function answers(port: number): Promise<boolean> {
  const redis = new Redis({ port, lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return (await redis.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
