import pRetry from 'p-retry';

const PAUSE_MS = 200;
/** Who has to end does not wait for longer. */
const PATIENCE_MS = 30_000;

/**
 * Does something again for as long as Redis has no memory for it (`maxmemory` with `noeviction`): what has been run
 * must not be lost, or run again, because its outcome could not be written down at that moment.
 *
 * @param isOver when nobody waits for it any more
 * @throws the last try's error
 */
export function untilThereIsRoom<T>(task: () => Promise<T>, isOver: () => boolean): Promise<T> {
  return pRetry(task, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: PAUSE_MS,
    factor: 1,
    maxRetryTime: PATIENCE_MS,
    shouldRetry: ({ error }) => isOutOfMemory(error) && !isOver(),
  });
}

function isOutOfMemory({ message }: Error): boolean {
  return message.startsWith('OOM ');
}
