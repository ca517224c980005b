import { LRUCache } from 'lru-cache';
import { networkOf } from '../address.ts';

/** So many wrong tokens in a row, and one more every so often. */
const FAILURES = 10;
const FORGIVEN_EVERY_MS = 6000;
/** Addresses that are remembered. Who has more than these is not held up by a list of them. */
const MAX_ADDRESSES = 1000;

/** The failures of one client, as a bucket that leaks. */
interface Bucket {
  level: number;
  /** When `level` was right, `performance.now()`. */
  at: number;
}

/** How often each client may be wrong. */
export class Failures {
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_ADDRESSES });

  note(address: string): void {
    const bucket = this.#leaked(address);
    bucket.level++;
    this.#buckets.set(networkOf(address), bucket);
  }

  /** @returns seconds until this client may try again; 0: now */
  wait(address: string): number {
    const over = this.#leaked(address).level - (FAILURES - 1);
    return over > 0 ? Math.ceil((over * FORGIVEN_EVERY_MS) / 1000) : 0;
  }

  #leaked(address: string): Bucket {
    const at = performance.now();
    const known = this.#buckets.get(networkOf(address));
    if (!known) return { level: 0, at };
    return { level: Math.max(0, known.level - (at - known.at) / FORGIVEN_EVERY_MS), at };
  }
}
