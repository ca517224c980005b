import type { Redis } from 'ioredis';

const LOOK_MS = 1000;

/**
 * Gives a connection up whose other end has gone without a word: a machine lost its power, or a firewall forgot the
 * connection. TCP itself would notice only after many minutes, and until then every command would wait or fail. The
 * client then connects anew by itself.
 *
 * It is asked once a second (PING). Silence is counted in looks, not by the clock, so that a process that was itself
 * frozen does not blame Redis for it. A blocking read on the connection must end within `silentLooks` seconds.
 *
 * @param silentLooks so many looks without any answer are enough
 */
export function giveUpWhenDead(redis: Redis, silentLooks: number): void {
  let silent = 0;
  const heard = (): void => void (silent = 0);
  const look = (): void => {
    if (redis.status !== 'ready' && redis.status !== 'connect') return heard();
    if (++silent > silentLooks) {
      heard();
      return void redis.stream.destroy();
    }
    if (redis.status === 'ready') redis.ping().then(heard, () => undefined);
  };
  const timer = setInterval(look, LOOK_MS).unref();
  redis.on('connect', heard);
  redis.once('end', () => clearInterval(timer));
}
