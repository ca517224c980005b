import type { AccountedRun, TenantAccount } from './tenant-accounts.ts';

/** A run that takes longer than this keeps others waiting noticeably, milliseconds. */
const LONG_MS = 8;
/** A tenant whose runs take no longer than this on the mean may have a spare sandbox, milliseconds. */
const BRIEF_MS = 100;
/** Or no more than this part of what the others take: on a machine that is overloaded everything takes long. */
const MUCH_SOONER = 4;

/** What runs, by its sandbox. */
type Busy = ReadonlyMap<unknown, AccountedRun>;

/**
 * Who is given the last `spare` of a runner's free sandboxes: a tenant that holds none, while those who hold the others
 * keep them for long, and that is expected to give it back soon, or at least much sooner than they. The very last of
 * several is only for those whose runs are known to be brief: many of whom nobody knows anything yet may be long.
 */
export class Lending {
  readonly #spare: number;
  readonly #onLong: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onLong called when runs have become long that were not when `lookAgain` was called */
  constructor(spare: number, onLong: () => void) {
    this.#spare = spare;
    this.#onLong = onLong;
  }

  /** Whether a tenant may have one of the sandboxes that are free, while others run. */
  mayHave(account: TenantAccount, free: number, busy: Busy): boolean {
    if (free > this.#spare) return true;
    if (free === 0 || account.running > 0) return false;
    const isLast = this.#spare > 1 && free === 1 && busy.size > 0;
    if (isLast && account.meanMs === undefined) return false;
    const soonest = Math.min(...lengthsOf(busy));
    return soonest > LONG_MS && (account.meanMs ?? 0) <= Math.max(BRIEF_MS, soonest / MUCH_SOONER);
  }

  /** Called while somebody waits though there is a free one. */
  lookAgain(busy: Busy): void {
    const shortest = Math.min(...lengthsOf(busy));
    if (shortest > LONG_MS) return;
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#onLong();
      },
      // Timers count whole milliseconds.
      LONG_MS - shortest + 1,
    );
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** How long each of them takes, as far as that is known, milliseconds. */
function lengthsOf(busy: Busy): number[] {
  const now = performance.now();
  return [...busy.values()].map(({ account, startedAt }) => Math.max(account.meanMs ?? 0, now - startedAt));
}
