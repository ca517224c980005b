import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runRedis } from '../../scripts/services/redis-process.ts';

/** A Redis for one test, which may freeze it, fill it or change its configuration. */
export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

export async function startOwnRedis(): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-redis-'));
  const redis = await runRedis('redis-server', folder);
  return {
    url: `redis://127.0.0.1:${redis.port}`,
    pid: redis.pid,
    async [Symbol.asyncDispose]() {
      await redis[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
