import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from './process-memory.ts';
import type { SandboxLimits } from './sandbox-process.ts';

/** Looked for after so many runs, and after each that took longer, milliseconds: growing takes time. */
const LOOK = { runs: 16, ms: 3 };
/** How long a sandbox may take to give back what it can: so many looks, milliseconds apart. */
const GIVE_BACK = { looks: 5, ms: 5 };

/**
 * What runs have left behind in their sandbox's memory. It counts as the next run's, another tenant's perhaps, which
 * would be ended for it; so there must be room for a whole script beside it.
 */
export class Leftovers {
  readonly #pid: number | undefined;
  readonly #limit: number;
  #runsToLook = LOOK.runs;

  /** @param pid of a sandbox that has run nothing yet */
  constructor(pid: number | undefined, { residentLimit, scriptMemoryMb }: SandboxLimits) {
    this.#pid = pid;
    // However large a heap may be, half of what a new sandbox has to spare may be left behind.
    const half = (memoryOf(pid).resident + residentLimit) / 2;
    this.#limit = Math.max(residentLimit - scriptMemoryMb * 1_048_576, half);
  }

  /** @param ms that a run took */
  ran(ms: number): void {
    this.#runsToLook = ms > LOOK.ms ? 0 : this.#runsToLook - 1;
  }

  /** Whether there is room, as far as can be told at little cost. Right after a run its isolate may still be there. */
  get leaveRoom(): boolean {
    if (this.#runsToLook > 0) return true;
    const leaveRoom = memoryOf(this.#pid).resident <= this.#limit;
    if (leaveRoom) this.#runsToLook = LOOK.runs;
    return leaveRoom;
  }

  /** Whether there will be room when the sandbox has given back what it can. */
  async leaveRoomSoon(): Promise<boolean> {
    for (let i = 0; i < GIVE_BACK.looks && !this.leaveRoom; i++) await sleep(GIVE_BACK.ms);
    return this.leaveRoom;
  }
}
