import type { Job } from 'bullmq';

/** Why an invocation is ended from outside. Each is one object, made once: an error with its stack is dear. */
export const ABANDONED = new Error('the client has gone');
export const TAKEN = new Error('the job is another runner’s');
export const CLOSING = new Error('the runner has to end');

interface Run {
  readonly job: Job;
  readonly controller: AbortController;
  /** What this runner took the job with; whoever holds the job has its token in the job's lock. */
  readonly token: string;
}

/**
 * The invocations that a runner works on, and what ends them. An invocation can be here twice, when a runner that
 * was frozen takes its own job again: the later one counts.
 */
export class UnderWay {
  readonly #runs = new Map<string, Run>();

  /** @returns takes it off */
  add(id: string, run: Run): () => void {
    this.#runs.set(id, run);
    return () => {
      if (this.#runs.get(id) === run) this.#runs.delete(id);
    };
  }

  get(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  endAll(reason: Error): void {
    for (const { controller } of this.#runs.values()) controller.abort(reason);
  }
}
