import pRetry from 'p-retry';

/** The first one included. */
const MAX_TRIES = 3;
/** The first pause, milliseconds; each further one is three times as long, and each up to twice that by chance. */
const FIRST_PAUSE_MS = 50;
const PAUSE_FACTOR = 3;

/**
 * Does something again that failed, a few times, with growing pauses of random length, so that those who failed
 * together do not come back together.
 *
 * @param isWorthIt whether another try may help, and may be made
 * @param signal ends tries and pauses
 * @throws the last try's error, or the signal's reason
 */
export function withRetries<T>(
  task: () => Promise<T>,
  isWorthIt: (error: Error) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  return pRetry(task, {
    retries: MAX_TRIES - 1,
    minTimeout: FIRST_PAUSE_MS,
    factor: PAUSE_FACTOR,
    randomize: true,
    shouldRetry: ({ error }) => isWorthIt(error),
    ...(signal ? { signal } : {}),
  });
}
