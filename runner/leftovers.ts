import { setTimeout as sleep } from 'node:timers/promises';

/** Looked for after so many runs. */
const LOOK_RUNS = 16;
/** And after each that took longer, milliseconds: growing takes time. */
const LOOK_MS = 3;
/** How long a sandbox may take to give back what it can, about as long as a new one takes: so many looks. */
const GIVE_BACK_LOOKS = 20;
const GIVE_BACK_STEP_MS = 5;

/**
 * What runs have left behind in their sandbox's memory. It counts as the next run's, another tenant's perhaps, which
 * would be ended for it; so there must be room for a script's whole heap beside it, or, where the sandbox's limit is not
 * made for that, for half of what a new sandbox has to spare.
 */
export class Leftovers {
  readonly #resident: () => number;
  readonly #limit: number;
  #runsToLook = LOOK_RUNS;

  /**
   * @param resident tells the bytes of a sandbox that has run nothing yet
   * @param limits bytes of its process, and of the heap of a script in it
   */
  constructor(resident: () => number, limits: { readonly resident: number; readonly heap: number }) {
    this.#resident = resident;
    this.#limit = Math.max(limits.resident - limits.heap, (resident() + limits.resident) / 2);
  }

  /** @param ms that a run took */
  ran(ms: number): void {
    this.#runsToLook = ms > LOOK_MS ? 0 : this.#runsToLook - 1;
  }

  /** Whether they leave room, as far as can be told at little cost. Right after a run its isolate may still be there. */
  leaveRoom(): boolean {
    if (this.#runsToLook > 0) return true;
    if (this.#resident() > this.#limit) return false;
    this.#runsToLook = LOOK_RUNS;
    return true;
  }

  /** Whether they leave room once the sandbox has given back what it can. */
  async leaveRoomSoon(): Promise<boolean> {
    for (let i = 0; i < GIVE_BACK_LOOKS; i++) {
      await sleep(GIVE_BACK_STEP_MS);
      if (this.leaveRoom()) return true;
    }
    return false;
  }
}
