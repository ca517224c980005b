import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collecting costs some 3 ms, exchanging this much more than that. */
const EXCHANGED_BYTES = 8 * 1_048_576;

/**
 * Gives back what large messages leave behind. The sandbox never comes back to its event loop and holds answers as
 * strings outside of V8's heap: V8 sees no need to collect them before the process is over its memory, and then the
 * next tenant's script would pay for them.
 */
export class Collector {
  readonly #collect = exposeCollection();
  #exchanged = 0;

  /** @param parts a message that was received or sent */
  exchanged(parts: readonly Buffer[]): void {
    for (const { length } of parts) this.#exchanged += length;
  }

  /** Where nobody waits for it. */
  collect(): void {
    if (this.#exchanged < EXCHANGED_BYTES) return;
    this.#exchanged = 0;
    this.#collect();
  }
}

/** `gc` of a context of its own; the contexts of scripts, made after that, have none. */
function exposeCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
