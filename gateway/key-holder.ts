import type { Queue } from 'bullmq';
import { requestIdOf } from '../shared/invocation.ts';

/** A holder without a job for this long has died between its claim and its job, or its job was lost. */
const ORPHANED_AFTER_MS = 2000;

/** The invocation that holds an `Idempotency-Key`, as a request that waits for its answer sees it. */
export class KeyHolder {
  readonly #queue: Queue;
  #id: string | undefined;
  #since = 0;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  note(id: string): void {
    if (id !== this.#id) this.#since = performance.now();
    this.#id = id;
  }

  /** Its id, as the record has it, when it has no job. One that comes after all is dropped by its runner: runner/once.ts. */
  async lost(): Promise<string | undefined> {
    if (this.#id === undefined || performance.now() - this.#since < ORPHANED_AFTER_MS) return undefined;
    const state = await this.#queue.getJobState(requestIdOf(this.#id)).catch(() => undefined);
    return state === 'unknown' ? this.#id : undefined;
  }
}
