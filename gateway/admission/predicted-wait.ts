/** Requests of one tenant that have not been answered yet. */
export interface Backlog {
  readonly count: number;
  /** What each of them is expected to take in a sandbox, milliseconds. */
  readonly meanMs: number;
}

/**
 * How long a tenant's next request will wait for a sandbox, milliseconds, when sandboxes are shared fairly by time
 * (runner/fair-queue.ts): behind all of the tenant's own work, and behind each other tenant's as far as that one is
 * due before, which is as much again and a run more.
 *
 * @param pace sandbox time that is worked off in a time, milliseconds per millisecond
 */
export function predictWait(own: Backlog, others: Iterable<Backlog>, pace: number): number {
  const mine = own.count * own.meanMs;
  let ahead = mine;
  for (const { count, meanMs } of others) ahead += Math.min(count * meanMs, mine + meanMs);
  // As many as there are sandboxes do not wait: they run.
  const running = Math.max(0, pace - 1) * own.meanMs;
  return Math.max(0, ahead - running) / pace;
}
