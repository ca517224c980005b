import type { GiveWay } from './launcher/niceness.ts';
import { processorTimeOf } from './launcher/processor-time.ts';

/** A run that takes longer than this gives way to everything else: most are over before. */
const LONG_RUN_MS = 50;
/** A run that has had less than this part of a processor for itself does not give way any more. */
const LEAST_SHARE = 1 / 3;
/** A run that gives way from its beginning is not judged before it has been looked at for so long: it is some slices. */
const JUDGED_AFTER_MS = 30;

/**
 * When the runs of one sandbox give way to everything else on the machine: once they are long, or from their
 * beginning, until their time is up, when they are to end, for which they need the processor.
 *
 * Their time goes on meanwhile. So each gives way only for as long as it has had its share of a processor since it
 * began; on a machine that has too much else to do it would otherwise not get done what it has to do.
 */
export class RunPriority {
  readonly #pid: number;
  readonly #giveWay: GiveWay;
  #isLow = false;
  #fromBeginning = false;
  /** When the run was looked at first, and what its process had had of the processor then, milliseconds. */
  #first: { readonly at: number; readonly had: number } | undefined;

  constructor(pid: number, giveWay: GiveWay) {
    this.#pid = pid;
    this.#giveWay = giveWay;
  }

  begin(givesWay: boolean): void {
    this.#fromBeginning = givesWay;
    this.#first = undefined;
    this.#set(givesWay);
  }

  /** It is to be killed, for which its process needs the processor. */
  end(): void {
    this.#set(false);
  }

  /** Called regularly while it runs. */
  look(now: number, elapsedMs: number, timeoutMs: number): void {
    const isLong = this.#fromBeginning || elapsedMs > LONG_RUN_MS;
    this.#set(this.#hasItsShare(now) && isLong && elapsedMs <= timeoutMs);
  }

  #hasItsShare(now: number): boolean {
    const had = processorTimeOf(this.#pid);
    if (had === undefined) return false;
    this.#first ??= { at: now, had };
    const lookedAtMs = now - this.#first.at;
    return lookedAtMs < JUDGED_AFTER_MS || had - this.#first.had >= lookedAtMs * LEAST_SHARE;
  }

  #set(isLow: boolean): void {
    if (isLow === this.#isLow) return;
    this.#isLow = isLow;
    this.#giveWay(isLow);
  }
}
