import type { Command, Redis } from 'ioredis';

/** A timer that fires later than this says that its process was held up, milliseconds. */
const LATE_MS = 20;
/** What has come meanwhile is read within this time, milliseconds. */
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
    const due = performance.now() + timeoutMs;
    const give = (): void => command.reject(new Error('Command timed out'));
    let timer = setTimeout(() => {
      if (performance.now() - due > LATE_MS) timer = setTimeout(give, CATCH_UP_MS);
      else give();
    }, timeoutMs);
    const forget = (): void => clearTimeout(timer);
    command.promise.then(forget, forget);
    return send(command, ...rest);
  };
}
