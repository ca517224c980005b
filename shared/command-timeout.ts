import type { Command, Redis } from 'ioredis';

/** What came while this process was held up is read within this time, milliseconds. */
const CATCH_UP_MS = 100;

/**
 * Rejects each command that is not answered within `timeoutMs`: "Command timed out".
 *
 * ioredis's own `commandTimeout` blames Redis for what its process did to itself: after a process was frozen, or kept
 * from its event loop, timers come before sockets, and commands would fail whose answers are there to be read.
 */
export function timeOutCommands(redis: Redis, timeoutMs: number): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command: Command, ...rest) => {
    const give = (): void => command.reject(new Error('Command timed out'));
    // Each time sockets are read before the next step: the first timer may come late, then the second does not.
    const last = (): void => void (timer = setTimeout(() => setImmediate(give), CATCH_UP_MS));
    let timer = setTimeout(last, timeoutMs - CATCH_UP_MS);
    const forget = (): void => clearTimeout(timer);
    command.promise.then(forget, forget);
    return send(command, ...rest);
  };
}
