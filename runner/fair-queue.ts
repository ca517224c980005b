import type { TenantAccount } from './tenant-accounts.ts';

/** Jobs that wait for a sandbox: each tenant's in the order they came, tenants by what they are due. */
export class FairQueue<T> {
  readonly #lines = new Map<TenantAccount, T[]>();
  readonly #dueAt: (account: TenantAccount) => number;
  #length = 0;

  /** @param dueAt the smaller, the sooner it is the tenant's turn; among equals the one that has waited longer */
  constructor(dueAt: (account: TenantAccount) => number) {
    this.#dueAt = dueAt;
  }

  get length(): number {
    return this.#length;
  }

  push(account: TenantAccount, item: T): void {
    this.#length++;
    const line = this.#lines.get(account);
    if (line) line.push(item);
    else this.#lines.set(account, [item]);
  }

  /** @returns whether it was there */
  remove(account: TenantAccount, item: T): boolean {
    const line = this.#lines.get(account);
    const at = line?.indexOf(item) ?? -1;
    if (!line || at < 0) return false;
    line.splice(at, 1);
    this.#taken(account, line);
    return true;
  }

  /** Takes out the next job of those tenants that may have one now. */
  next(mayHave: (account: TenantAccount) => boolean): T | undefined {
    const account = this.#first(mayHave);
    const line = account && this.#lines.get(account);
    if (!account || !line) return undefined;
    const item = line.shift();
    this.#taken(account, line);
    return item;
  }

  #first(mayHave: (account: TenantAccount) => boolean): TenantAccount | undefined {
    let first: TenantAccount | undefined;
    let earliest = Infinity;
    for (const account of this.#lines.keys()) {
      const due = this.#dueAt(account);
      if (due < earliest && mayHave(account)) [first, earliest] = [account, due];
    }
    return first;
  }

  /** A tenant that still waits goes to the end of its equals. */
  #taken(account: TenantAccount, line: T[]): void {
    this.#length--;
    this.#lines.delete(account);
    if (line.length > 0) this.#lines.set(account, line);
  }
}
