import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to Redis that can be spoilt for those who go by it, while Redis lives on for all others. */
export interface RedisProxy extends AsyncDisposable {
  readonly url: string;
  /** Closes every connection, and refuses new ones. */
  cut(): void;
  mend(): void;
  /** From now on whatever passes, in either direction, takes this much longer. */
  delay(ms: number): void;
  /** Connections that are there now stay open, and nothing passes on them any more. */
  forget(): void;
}

export async function startRedisProxy(target: string): Promise<RedisProxy> {
  const { hostname: host, port } = new URL(target);
  const sockets = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let isCut = false;
  let delayMs = 0;
  /** Passes on what comes, in order, though the delay changes. */
  const pass = (from: Socket, to: Socket): void => {
    const late: { chunk: Buffer; at: number }[] = [];
    const drain = (): void => {
      while (late[0] && late[0].at <= performance.now()) to.write(late.shift()?.chunk as Buffer);
      if (late[0]) setTimeout(drain, late[0].at - performance.now());
    };
    from.on('data', (chunk: Buffer) => {
      if (forgotten.has(from)) return;
      if (delayMs === 0 && late.length === 0) return void to.write(chunk);
      if (late.push({ chunk, at: performance.now() + delayMs }) === 1) setTimeout(drain, delayMs);
    });
    from.on('end', () => forgotten.has(from) || to.end());
  };
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const redis = connect({ host, port: Number(port) });
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        redis.destroy();
      });
    }
    pass(client, redis);
    pass(redis, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => void (isCut = false),
    delay: (ms) => void (delayMs = ms),
    forget() {
      for (const socket of sockets) forgotten.add(socket);
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
    },
  };
}
