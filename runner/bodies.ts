import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { LC500Error } from '../shared/errors.ts';
import type { Invocation } from '../shared/invocation.ts';
import { readJobBody } from '../shared/job-body.ts';
import { jobKeyOf } from '../shared/queue.ts';

/** The bodies of invocations, wherever they are. */
export class Bodies {
  readonly #redis: Redis;
  readonly #prefix: string;

  /** @param redis a patient connection: while Redis is away, a body that lies there is waited for */
  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /**
   * An invocation with its body.
   *
   * @param signal the end of waiting for Redis; rejects with its reason
   * @throws LC500Error `queue_unavailable` when the job's body is not there
   */
  async complete(job: Job, invocation: Invocation, signal?: AbortSignal): Promise<Invocation> {
    const { bodyBeside, ...rest } = invocation;
    if (bodyBeside === undefined) return invocation;
    const read = readJobBody(this.#redis, jobKeyOf(this.#prefix, job), bodyBeside);
    const body = await (signal ? untilAborted(read, signal) : read);
    return { ...rest, request: { ...invocation.request, body } };
  }
}

/**
 * Gateways let nothing larger in; but a job may be another's word, or its gateway's limit another.
 *
 * @throws LC500Error `request_too_large`
 */
export function refuseTooLarge({ bodyBeside, request }: Invocation, limit: number): void {
  const bytes = bodyBeside ?? request.body.length;
  if (bytes <= limit) return;
  throw new LC500Error(
    'request_too_large',
    `a body of ${bytes} bytes, and MAX_REQUEST_BYTES is ${limit} here: it has to be the same for gateways and runners`,
  );
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}
