import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collecting costs some 3 ms: too much to do it for less than this. */
const GROWN_BYTES = 8 * 1_048_576;

/**
 * Gives back what runs leave behind. What comes out of an isolate (answers, what was thrown, and what isolated-vm copies
 * and hands to nobody) are strings outside of V8's heap, which V8 sees no need to collect before the process is over its
 * memory; and then the next tenant's script would pay for them.
 */
export class Collector {
  readonly #collect = exposeCollection();
  #left = outsideBytes();

  /** Where nobody waits for it. */
  collect(): void {
    const bytes = outsideBytes();
    // V8 collects by itself, too.
    if (bytes < this.#left) this.#left = bytes;
    if (bytes - this.#left < GROWN_BYTES) return;
    this.#collect();
    this.#left = outsideBytes();
  }
}

function outsideBytes(): number {
  return getHeapStatistics().external_memory;
}

/** `gc` of a context of its own; the contexts of scripts, made after that, have none. */
function exposeCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
