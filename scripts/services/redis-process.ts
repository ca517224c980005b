import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnOwned, type ChildExit, type OwnedChild } from './children.ts';
import { freePort } from './ports.ts';

const PORT_TRIES = 5;
/** Loading a large append-only file takes its time. */
const READY_MS = 30_000;
const POLL_MS = 10;
const STOP_MS = 3000;
const OUTPUT_KEPT = 4096;

/** A Redis server that answers; disposing it stops it. */
export interface RedisProcess extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  readonly exited: Promise<ChildExit>;
}

/**
 * Runs a Redis or Valkey server on a free loopback port, and waits until it answers.
 *
 * @param folder where its data lies; nobody else may use it at the same time
 * @throws Error with the server's last output when it does not come up
 */
export async function runRedis(program: string, folder: string): Promise<RedisProcess> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const child = await spawnOwned(program, serverArgs(port, folder), {
      env: process.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = keepTail(child);
    const version = await whenReady(child, port);
    if (version !== undefined) {
      const { pid, exited } = child;
      return { pid, port, version, exited, [Symbol.asyncDispose]: () => child.stop(STOP_MS) };
    }
    await child.stop(0);
    // Between asking for a free port and using it, somebody else can have taken it.
    if (/address already in use/i.test(output()) && tries < PORT_TRIES) continue;
    throw new Error(`${program} does not start:\n${output().trim()}`);
  }
}

function serverArgs(port: number, folder: string): string[] {
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    daemonize: 'no',
    // The append-only file has everything; a snapshot beside it would only cost time.
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
    loglevel: 'warning',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Reads all output, so that the server never waits for us, and keeps the end of it. */
function keepTail(child: OwnedChild): () => string {
  let tail = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-OUTPUT_KEPT);
  });
  return () => tail;
}

/** The server's version once it answers; `undefined` when it ended, or does not answer in time. */
async function whenReady(child: OwnedChild, port: number): Promise<string | undefined> {
  const giveUp = performance.now() + READY_MS;
  const ended = new AbortController();
  void child.exited.then(() => ended.abort());
  while (!ended.signal.aborted && performance.now() < giveUp) {
    const version = await askVersion(child.pid, port);
    if (version !== undefined) return version;
    await sleep(POLL_MS);
  }
  return undefined;
}

/** `undefined` while it does not answer PING (also while it loads its data), or when another server does. */
async function askVersion(pid: number, port: number): Promise<string | undefined> {
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    const info = await redis.info('server');
    if (/^process_id:(\d+)/m.exec(info)?.[1] !== String(pid)) return undefined;
    return /^valkey_version:(\S+)/m.exec(info)?.[1] ?? /^redis_version:(\S+)/m.exec(info)?.[1];
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}
