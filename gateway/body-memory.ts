/** A part of the memory for bodies. */
export interface Hold {
  /** @returns whether there was room; what was taken before stays taken */
  take(bytes: number): boolean;
  /** It is complete and will not be asked to give way any more. */
  settle(): void;
  /** Gives all of it back; nothing the second time. */
  release(): void;
}

interface Held {
  bytes: number;
  readonly giveWay: () => void;
}

/**
 * Bytes of bodies that a gateway holds for its clients, bounded in total.
 *
 * When there is no room, the one who has been sending, or taking his answer, for the longest gives way: so a few
 * slow clients cannot take the memory from all others for as long as they please.
 */
export class BodyMemory {
  readonly #limit: number;
  /** In the order in which they came. */
  readonly #yielding = new Set<Held>();
  #used = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** @param giveWay called at most once, when the memory is needed for others; it is given back already then */
  hold(giveWay: () => void): Hold {
    const held: Held = { bytes: 0, giveWay };
    this.#yielding.add(held);
    return {
      take: (bytes) => this.#take(held, bytes),
      settle: () => void this.#yielding.delete(held),
      release: () => this.#release(held),
    };
  }

  #take(held: Held, bytes: number): boolean {
    for (const oldest of this.#yielding) {
      if (this.#used + bytes <= this.#limit || oldest === held) break;
      this.#release(oldest);
      oldest.giveWay();
    }
    if (this.#used + bytes > this.#limit) return false;
    held.bytes += bytes;
    this.#used += bytes;
    return true;
  }

  #release(held: Held): void {
    this.#yielding.delete(held);
    this.#used -= held.bytes;
    held.bytes = 0;
  }
}
