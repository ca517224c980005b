import type { Queue } from 'bullmq';
import { requestIdOf } from '../shared/invocation.ts';

/** A holder without a job for this long has died between its claim and its job, or its job was lost. */
const ORPHANED_AFTER_MS = 2000;

/** The invocation that holds an `Idempotency-Key`, as a request that waits for its answer sees it. */
export class KeyHolder {
  readonly #queues: readonly Queue[];
  #id: string | undefined;
  #since = 0;

  /** @param queues all in which it may have its job */
  constructor(queues: readonly Queue[]) {
    this.#queues = queues;
  }

  note(id: string): void {
    if (id !== this.#id) this.#since = performance.now();
    this.#id = id;
  }

  /** Its id, as the record has it, when it has no job. One that comes after all is dropped by its runner: runner/once.ts. */
  async lost(): Promise<string | undefined> {
    if (this.#id === undefined || performance.now() - this.#since < ORPHANED_AFTER_MS) return undefined;
    const lost = this.#id;
    const jobId = requestIdOf(lost);
    const states = await Promise.all(
      this.#queues.map((queue) => queue.getJobState(jobId).catch(() => undefined)),
    );
    return states.every((state) => state === 'unknown') ? lost : undefined;
  }
}
