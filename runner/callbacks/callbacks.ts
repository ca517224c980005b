import { Queue, UnrecoverableError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { asyncRecordKey } from '../../shared/async-location.ts';
import type { Config } from '../../shared/config.ts';
import { parseHost } from '../../shared/hostname.ts';
import type { IdempotencyRecords } from '../../shared/idempotency.ts';
import type { AsyncTerms, Invocation } from '../../shared/invocation.ts';
import type { Logger } from '../../shared/log.ts';
import { CALLBACK_QUEUE_NAME } from '../../shared/queue.ts';
import { untilThereIsRoom } from '../redis-room.ts';
import { messageOf, signedHeaders } from './message.ts';
import { PrivateAddress } from './public-address.ts';
import { CallbackSender, Undeliverable } from './sender.ts';
import { BadSettings, type TenantSettingsStore } from './tenant-settings.ts';

/** Callbacks of one runner at a time. They wait for others, so many cost little. */
const CONCURRENCY = 64;
/** A callback is not to blame for the runners that die while it waits. */
const MAX_STALLED = 10;
const KEPT_FAILED = { age: 7 * 24 * 3600, count: 1000 };

/** The job lies in Redis, and must not lead to another object of the bucket than a tenant's settings. */
const schema = z.object({
  hostname: z.string().refine((hostname) => parseHost(hostname) === hostname),
  requestId: z.string().min(1),
  locationId: z.string().min(1),
});

export interface CallbackContext {
  readonly config: Config;
  readonly redis: Redis;
  readonly records: IdempotencyRecords;
  readonly settings: TenantSettingsStore;
  readonly log: Logger;
}

/**
 * Tells tenants what became of asynchronous requests.
 *
 *     outcome stored → job in the callbacks' queue → sent, signed → 2xx: done
 *                                 ↑________________________│ else: again, later and later
 *
 * The job says only which request it is: the outcome is read from its record and the address from the tenant's
 * settings when it is sent, so that nothing is sent to where a tenant no longer wants it. Sent at least once; a
 * receiver that gets one twice knows it by its `webhook-id`.
 */
export class Callbacks {
  readonly #context: CallbackContext;
  readonly #queue: Queue;
  readonly #sender: CallbackSender;
  readonly #worker: Worker;

  constructor(context: CallbackContext) {
    const { config, redis, log } = context;
    const connection = { connection: redis, prefix: config.QUEUE_PREFIX };
    this.#context = context;
    this.#sender = new CallbackSender(config);
    this.#queue = new Queue(CALLBACK_QUEUE_NAME, connection);
    this.#worker = new Worker(CALLBACK_QUEUE_NAME, (job) => this.#send(job), {
      ...connection,
      concurrency: CONCURRENCY,
      maxStalledCount: MAX_STALLED,
    });
    const warn = (error: Error): void => log.warn({ err: error }, 'callbacks');
    this.#queue.on('error', warn);
    this.#worker.on('error', warn);
    this.#worker.on('failed', (job, error) => this.#logFailure(job, error));
  }

  /** Has a tenant told who wants to be. The outcome is stored by now. */
  async announce({ id, hostname, async }: Invocation & { readonly async: AsyncTerms }): Promise<void> {
    if (!(await this.#isWanted(hostname))) return;
    const { CALLBACK_ATTEMPTS: attempts, CALLBACK_BACKOFF_MS: delay } = this.#context.config;
    const event = { hostname, requestId: id, locationId: async.locationId };
    const options = {
      // A job that comes again, for its runner has died, announces the same outcome.
      jobId: id,
      attempts,
      backoff: { type: 'exponential', delay, jitter: 0.5 },
      removeOnComplete: true,
      removeOnFail: KEPT_FAILED,
      stackTraceLimit: 1,
    };
    await untilThereIsRoom(
      () => this.#queue.add('callback', event, options),
      () => false,
    );
  }

  /** Finishes the tries that are under way. */
  async close(): Promise<void> {
    await this.#worker.close();
    await this.#queue.close();
    await this.#sender.close();
  }

  async #isWanted(hostname: string): Promise<boolean> {
    try {
      const { callback } = await this.#context.settings.get(hostname);
      return callback !== undefined;
    } catch (error) {
      if (!(error instanceof BadSettings)) return true;
      this.#context.log.warn({ tenant: hostname, reason: error.message }, 'the settings cannot be used');
      return false;
    }
  }

  async #send(job: Job): Promise<void> {
    try {
      await this.#try(job);
    } catch (error) {
      const isFinal = [Undeliverable, PrivateAddress, BadSettings, z.ZodError];
      const reason = error instanceof Error ? error.message : String(error);
      if (isFinal.some((kind) => error instanceof kind)) throw new UnrecoverableError(reason);
      throw error;
    }
  }

  async #try(job: Job): Promise<void> {
    const { config, settings, records } = this.#context;
    const event = schema.parse(job.data);
    const { callback } = await settings.get(event.hostname);
    const key = asyncRecordKey(config.QUEUE_PREFIX, event.hostname, event.locationId);
    const record = await records.read(key);
    // The tenant wants none any more; or the client has called the request off, or its time is over.
    if (!callback || !record?.outcome) return;
    const body = messageOf({ ...event, at: job.timestamp }, record.outcome);
    const headers = signedHeaders(callback.secret, `msg_${event.requestId}`, Date.now(), body);
    await this.#sender.send(callback.url, headers, body);
  }

  #logFailure(job: Job | undefined, error: Error): void {
    if (!job) return;
    const { hostname: tenant, requestId } = job.data as Record<string, unknown>;
    const record = { requestId, tenant, tries: job.attemptsMade, reason: error.message };
    const isOver = job.finishedOn !== undefined;
    if (isOver) this.#context.log.warn(record, 'a callback was given up');
    else this.#context.log.info(record, 'a callback was not delivered; trying again later');
  }
}
