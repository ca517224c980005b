/**
 * Waits for a task, but no longer than its waiter wants to; the task goes on by itself.
 *
 * @throws what the task throws, or the signal's reason
 */
export async function orAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(signal.reason as Error);
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([left.promise, task]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
