import type { TenantAccount } from './tenant-accounts.ts';

/**
 * What a millisecond of waiting is worth in milliseconds of sandbox time. Without it tenants that were never seen
 * before, of which an attacker can have any number, would always go before all others. Less than 1: the debts of a
 * tenant that has more than one sandbox all the time must grow faster than they are forgiven.
 */
const PATIENCE = 0.5;

interface Waiting<T> {
  readonly item: T;
  /** `performance.now()`. */
  readonly since: number;
}

/** Jobs that wait for a sandbox: each tenant's in the order they came, tenants by what they are due and have waited. */
export class FairQueue<T> {
  readonly #lines = new Map<TenantAccount, Waiting<T>[]>();
  readonly #dueAt: (account: TenantAccount) => number;
  #length = 0;

  /** @param dueAt the smaller, the sooner it is the tenant's turn; among equals the one that has waited longer */
  constructor(dueAt: (account: TenantAccount) => number) {
    this.#dueAt = dueAt;
  }

  get length(): number {
    return this.#length;
  }

  push(account: TenantAccount, item: T, now = performance.now()): void {
    this.#length++;
    const line = this.#lines.get(account);
    const waiting = { item, since: now };
    if (line) line.push(waiting);
    else this.#lines.set(account, [waiting]);
  }

  /** @returns whether it was there */
  remove(account: TenantAccount, item: T): boolean {
    const line = this.#lines.get(account);
    const at = line?.findIndex((waiting) => waiting.item === item) ?? -1;
    if (!line || at < 0) return false;
    line.splice(at, 1);
    this.#taken(account, line);
    return true;
  }

  /** Takes out the next job of those tenants that may have one now. */
  next(mayHave: (account: TenantAccount) => boolean, now = performance.now()): T | undefined {
    const account = this.#first(mayHave, now);
    const line = account && this.#lines.get(account);
    if (!account || !line) return undefined;
    const first = line.shift();
    this.#taken(account, line);
    return first?.item;
  }

  #first(mayHave: (account: TenantAccount) => boolean, now: number): TenantAccount | undefined {
    let first: TenantAccount | undefined;
    let earliest = Infinity;
    for (const [account, [oldest]] of this.#lines) {
      const due = this.#dueAt(account) - PATIENCE * (now - (oldest?.since ?? now));
      if (due < earliest && mayHave(account)) [first, earliest] = [account, due];
    }
    return first;
  }

  /** A tenant that still waits goes to the end of its equals. */
  #taken(account: TenantAccount, line: Waiting<T>[]): void {
    this.#length--;
    this.#lines.delete(account);
    if (line.length > 0) this.#lines.set(account, line);
  }
}
