import { networkOf } from './address.ts';

/**
 * How many connections each client has: its own to the gateway, and behind trusted proxies, where its connections
 * end, its requests that are under way.
 */
export class ClientCounts {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  /** @param limit for one client */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns whether there is room; if so, `leave` has to follow */
  enter(address: string): boolean {
    const network = networkOf(address);
    const count = this.#counts.get(network) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(network, count + 1);
    return true;
  }

  leave(address: string): void {
    const network = networkOf(address);
    const count = (this.#counts.get(network) ?? 0) - 1;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
  }
}
