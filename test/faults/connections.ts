import type { Redis } from 'ioredis';

export interface Connection {
  readonly id: string;
  /** The command that it sent last. */
  readonly command: string;
}

/** All connections to a Redis but this one (`CLIENT LIST`). */
export async function connectionsOf(redis: Redis): Promise<Connection[]> {
  const own = String(await redis.client('ID'));
  return String(await redis.client('LIST'))
    .trim()
    .split('\n')
    .map((line) => ({
      id: /\bid=(\d+)/.exec(line)?.[1] ?? '',
      command: /\bcmd=(\S+)/.exec(line)?.[1] ?? '',
    }))
    .filter(({ id }) => id !== own);
}
