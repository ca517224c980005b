import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { LC500Error } from '../shared/errors.ts';
import type { Invocation } from '../shared/invocation.ts';
import { readJobBody } from '../shared/job-body.ts';
import { jobKeyOf } from '../shared/queue.ts';
import { orAborted } from './or-aborted.ts';
import { TAKEN } from './under-way.ts';

/** Fetches the bodies that lie beside their jobs. */
export class Bodies {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #limit: number;

  /**
   * @param redis a patient connection: while Redis is away, a body is waited for
   * @param config `MAX_REQUEST_BYTES`: nothing that is said to be larger is fetched
   */
  constructor(
    redis: Redis,
    {
      QUEUE_PREFIX,
      MAX_REQUEST_BYTES,
    }: { readonly QUEUE_PREFIX: string; readonly MAX_REQUEST_BYTES: number },
  ) {
    this.#redis = redis;
    this.#prefix = QUEUE_PREFIX;
    this.#limit = MAX_REQUEST_BYTES;
  }

  /**
   * An invocation with its body.
   *
   * @param signal the end of waiting for Redis; rejects with its reason
   * @throws LC500Error `request_too_large`, or `queue_unavailable` when the body of a job that is there is not
   * @throws TAKEN when the job is gone, too: it was ended elsewhere
   */
  async complete(job: Job, invocation: Invocation, signal?: AbortSignal): Promise<Invocation> {
    const { bodyBeside, ...rest } = invocation;
    if (bodyBeside === undefined) return invocation;
    this.refuseTooLarge(invocation);
    const read = this.#read(jobKeyOf(this.#prefix, job), bodyBeside);
    const body = await (signal ? orAborted(read, signal) : read);
    return { ...rest, request: { ...invocation.request, body } };
  }

  /**
   * Gateways let nothing larger in; but a job may be another's word, or its gateway's limit another.
   *
   * @throws LC500Error `request_too_large`
   */
  refuseTooLarge({ bodyBeside, request }: Invocation): void {
    const bytes = bodyBeside ?? request.body.length;
    if (bytes <= this.#limit) return;
    throw new LC500Error(
      'request_too_large',
      `a body of ${bytes} bytes, and MAX_REQUEST_BYTES is ${this.#limit} here: ` +
        'it has to be the same for gateways and runners',
    );
  }

  async #read(jobKey: string, bytes: number): Promise<Buffer> {
    const body = await readJobBody(this.#redis, jobKey);
    if (body?.length === bytes) return body;
    if (!body && (await this.#redis.exists(jobKey)) === 0) throw TAKEN;
    const found = body ? `one of ${body.length} bytes` : 'none';
    throw new LC500Error(
      'queue_unavailable',
      `the job's body of ${bytes} bytes is not in Redis: there is ${found}`,
    );
  }
}
