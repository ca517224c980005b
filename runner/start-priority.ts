import type { GiveWay } from './launcher/niceness.ts';

/** A start is longer than this only on a machine that is busy, where it goes on as everything else does. */
const GIVES_WAY_MS = 200;

/**
 * A sandbox that starts gives way to everything else, for it takes 90 ms of a core; but not for long, since somebody
 * may wait for it.
 *
 * @param processes that there are by now; those that they start give way as they do
 * @returns to be called when it is ready, and when it has ended
 */
export function giveWayAtStart(
  processes: () => readonly number[],
  niceness: ((pid: number) => GiveWay) | undefined,
): () => void {
  if (!niceness) return () => undefined;
  const set = (gives: boolean): void => {
    for (const pid of processes()) niceness(pid)(gives);
  };
  set(true);
  const timer = setTimeout(() => end(), GIVES_WAY_MS);
  const end = (): void => {
    clearTimeout(timer);
    set(false);
  };
  return end;
}
