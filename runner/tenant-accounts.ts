import { LRUCache } from 'lru-cache';

/** Tenants that are remembered; who was forgotten counts as new. */
const REMEMBER = 10_000;
/** How much of its mean a tenant's latest run is. */
const WEIGHT = 0.25;
/** What a run is taken for of which nothing is known, milliseconds. */
const UNKNOWN_MS = 10;
/** A run that takes no longer than this on the mean is not in others' way in its sandbox, milliseconds. */
const MOMENT_MS = 10;
/**
 * A run that takes longer than this is in others' way, whoever's it is, milliseconds. Of runs that gave way it has had
 * a third of a processor for that long (runner/run-priority.ts), as much as one that counts as long once it runs.
 */
const VERY_LONG_MS = 150;
/** A tenant whose last run ended within this time counts as active, milliseconds. */
const ACTIVE_MS = 3000;

/** What a runner knows of one tenant's use of its sandboxes. */
export interface TenantAccount {
  /** Where it stands: the virtual time at which its next run is due (runner/fair-queue.ts), milliseconds. */
  due: number;
  /** Of its runs, milliseconds; `undefined`: none has ended yet. */
  meanMs: number | undefined;
  /** Sandboxes that it holds. */
  running: number;
  /** `performance.now()` of its last run's begin or end. */
  seenAt: number;
}

/** A run in a sandbox, on its tenant's account. */
export interface AccountedRun {
  readonly account: TenantAccount;
  readonly startedAt: number;
  /** What was charged when it began. */
  readonly expectedMs: number;
}

/**
 * Who used how much of the sandboxes: start-time fair queueing (P. Goyal et al., 1996) by time, not by count.
 *
 * There is a virtual time, the point at which the run that began last was due. A run is due when its tenant's last
 * one is paid for, or now, whichever is later. So nobody saves up time by being idle, and who asks for less than his
 * share is always due at once. How long a run takes is known when it has ended: until then the tenant's mean is
 * charged.
 */
export class TenantAccounts {
  readonly #accounts = new LRUCache<string, TenantAccount>({ max: REMEMBER });
  #virtualNow = 0;

  of(tenant: string): TenantAccount {
    const known = this.#accounts.get(tenant);
    if (known) return known;
    const account = { due: this.#virtualNow, meanMs: undefined, running: 0, seenAt: -Infinity };
    this.#accounts.set(tenant, account);
    return account;
  }

  /** When the tenant's next run is due: the smaller, the sooner. */
  dueAt(account: TenantAccount): number {
    return Math.max(account.due, this.#virtualNow);
  }

  begin(account: TenantAccount): AccountedRun {
    const expectedMs = account.meanMs ?? UNKNOWN_MS;
    this.#virtualNow = this.dueAt(account);
    account.due = this.#virtualNow + expectedMs;
    account.running++;
    account.seenAt = performance.now();
    return { account, startedAt: account.seenAt, expectedMs };
  }

  /** @param extraMs what the run costs beside its own time, such as a new sandbox */
  end({ account, startedAt, expectedMs }: AccountedRun, extraMs = 0): void {
    const now = performance.now();
    const took = now - startedAt + extraMs;
    account.running--;
    account.due += took - expectedMs;
    account.meanMs = account.meanMs === undefined ? took : account.meanMs + WEIGHT * (took - account.meanMs);
    account.seenAt = now;
  }

  /** A run that has ended turns out to have cost more, as if it had taken so much longer. */
  charge(account: TenantAccount, ms: number): void {
    account.due += ms;
    account.meanMs = (account.meanMs ?? 0) + WEIGHT * ms;
  }

  /** How many tenants used a sandbox of late. */
  active(now = performance.now()): number {
    let count = 0;
    // From the one that was used last.
    for (const account of this.#accounts.values()) {
      if (account.running > 0 || now - account.seenAt < ACTIVE_MS) count++;
      else break;
    }
    return count;
  }
}

/**
 * Whether a run that begins is to give way to everything else from its beginning: of its tenant nobody knows how long
 * that takes, or it is long, or the tenant holds more than one sandbox, each for more than a moment.
 */
export function isInTheWay({ running, meanMs = Infinity }: TenantAccount): boolean {
  return meanMs > VERY_LONG_MS || (running > 1 && meanMs > MOMENT_MS);
}
