import type { S3Client } from '@aws-sdk/client-s3';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { AsyncEndings } from '../shared/async-endings.ts';
import { RedisClock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import { IdempotencyRecords } from '../shared/idempotency.ts';
import type { Logger } from '../shared/log.ts';
import { ASYNC_QUEUE_NAME, QUEUE_NAME, WORKER_OPTIONS } from '../shared/queue.ts';
import { connectPatient, connectWhenThere, requireNoEviction } from '../shared/redis.ts';
import type { RunnerState } from '../shared/runner-state.ts';
import { RecordBucket } from '../shared/records/record-bucket.ts';
import { RecordStore } from '../shared/records/record-store.ts';
import { createS3 } from '../shared/s3.ts';
import { Abandonments } from './abandonments.ts';
import { Bodies } from './bodies.ts';
import { createBlueprintSource } from './blueprint.ts';
import { Callbacks } from './callbacks/callbacks.ts';
import { TenantSettingsStore } from './callbacks/tenant-settings.ts';
import { startHeartbeat } from './heartbeat.ts';
import { JobHolder } from './job-holder.ts';
import { replyToLostJob } from './lost-job.ts';
import { createSandboxes } from './create-sandboxes.ts';
import { createProcessor, type ProcessorContext } from './processor.ts';
import { Publisher } from './publisher.ts';
import { startRecordSweep } from './record-sweep.ts';
import { Recorder } from './recorder.ts';
import { ScriptStore } from './script-store.ts';
import { CLOSING, UnderWay } from './under-way.ts';
import { runnerState } from './usage.ts';
import { watchJobs } from './watch-jobs.ts';

/**
 * Jobs in hand beside the running ones, so that no sandbox waits for Redis, and slow blueprints hold nobody up. More
 * than any one tenant may have in the queue (gateway/admission/window.ts), so that there is always room for others'.
 */
const IN_HAND = { withoutBlueprint: 16, withBlueprint: 48 };

export interface Runner {
  /** Takes no new job, finishes those it has, lets go of everything. */
  close(): Promise<void>;
  /** Ends what is still under way, so that `close` can end. What may be run again goes back to the queue. */
  settle(): void;
}

/** Puts a runner together and starts it; resolves when it takes jobs. */
export async function startRunner(config: Config, log: Logger): Promise<Runner> {
  await using stack = new AsyncDisposableStack();
  const redis = connectPatient(config.REDIS_URL, log);
  stack.defer(() => redis.disconnect());
  const { sandboxes, codeCache, launcher, ...told } = await createSandboxes(config, log);
  stack.defer(() => launcher.close());
  stack.defer(() => sandboxes.close());
  stack.defer(() => codeCache.close());
  await Promise.all([sandboxes.start(), connectWhenThere(redis)]);
  await requireNoEviction(redis, log);
  const clock = new RedisClock(redis);
  await clock.start();
  stack.defer(() => clock.stop());
  // Reads are tried again by those who want them, who know for how long that makes sense.
  const s3 = createS3(config, 1);
  stack.defer(() => s3.destroy());
  const blueprints = createBlueprintSource(config, s3);
  stack.defer(() => blueprints.close());

  const scripts = new ScriptStore(s3, config, log);
  stack.defer(() => scripts.close());
  const publisher = new Publisher(redis, clock, log);
  stack.defer(() => publisher.close());
  const records = new IdempotencyRecords(redis);
  const underWay = new UnderWay();
  const abandonments = await listenForAbandonments(config, redis, underWay, log, stack);
  const holder = new JobHolder(redis, config.QUEUE_PREFIX);
  const asyncEndings = new AsyncEndings(redis, config.QUEUE_PREFIX);
  const settings = new TenantSettingsStore(s3, config);
  const callbacks = new Callbacks({ config, redis, records, settings, log });
  stack.defer(() => callbacks.close());
  const kept = { ...keepRecords(config, redis, s3, log, stack), records, asyncEndings };
  const toRun = { scripts, codeCache, blueprints, sandboxes };
  const sources = { ...toRun, abandonments, callbacks, underWay, holder, ...kept };
  const workers = createWorkers(redis, { ...sources, config, publisher, clock, log });
  stack.defer(async () => void (await Promise.all(workers.map((worker) => worker.close()))));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  stack.defer(beat(config, redis, clock, workers, () => runnerState(sandboxes, told.level, jobsOf(config))));
  log.info({ sandboxes: sandboxes.size, ...told }, 'runner takes jobs');
  const owned = stack.move();
  return { close: () => owned.disposeAsync(), settle: () => underWay.endAll(CLOSING) };
}

function keepRecords(
  config: Config,
  redis: Redis,
  s3: S3Client,
  log: Logger,
  stack: AsyncDisposableStack,
): { readonly bodies: Bodies; readonly store: RecordStore; readonly recorder: Recorder } {
  const bodies = new Bodies(redis, config);
  const bucket = new RecordBucket(s3, config);
  const store = new RecordStore(redis, bucket, config);
  stack.defer(startRecordSweep({ redis, s3, config, store, bucket, log }));
  return { bodies, store, recorder: new Recorder({ config, bodies, store, bucket, log }) };
}

async function listenForAbandonments(
  config: Config,
  redis: Redis,
  underWay: UnderWay,
  log: Logger,
  stack: AsyncDisposableStack,
): Promise<Abandonments> {
  const subscriber = connectPatient(config.REDIS_URL, log);
  stack.defer(() => subscriber.disconnect());
  await connectWhenThere(subscriber);
  const abandonments = new Abandonments(subscriber, redis, config.QUEUE_PREFIX, underWay);
  await abandonments.start();
  return abandonments;
}

/** Jobs that a runner takes at most at a time. */
function jobsOf({ RUNNER_SANDBOXES, BLUEPRINT_TARGET }: Config): number {
  const inHand = BLUEPRINT_TARGET.kind === 'none' ? IN_HAND.withoutBlueprint : IN_HAND.withBlueprint;
  return RUNNER_SANDBOXES + inHand;
}

/** One for each queue. Of asynchronous requests a runner takes so many that, where there are two, a sandbox is left. */
function createWorkers(redis: Redis, context: ProcessorContext): readonly Worker[] {
  const { config } = context;
  return [
    createWorker(redis, context, QUEUE_NAME, jobsOf(config)),
    createWorker(redis, context, ASYNC_QUEUE_NAME, Math.max(1, config.RUNNER_SANDBOXES - 1)),
  ];
}

function createWorker(redis: Redis, context: ProcessorContext, queue: string, concurrency: number): Worker {
  const { config, log } = context;
  const worker = new Worker(queue, createProcessor(context), {
    connection: redis,
    prefix: config.QUEUE_PREFIX,
    ...WORKER_OPTIONS,
    concurrency,
  });
  worker.on('error', (error) => log.warn({ err: error }, 'queue'));
  worker.on('failed', (job, error) => void replyToLostJob(context, job, error));
  watchJobs(worker, context);
  return worker;
}

function beat(
  config: Config,
  redis: Redis,
  clock: RedisClock,
  workers: readonly Worker[],
  state: () => RunnerState,
): () => Promise<void> {
  const isConsuming = (): boolean => workers.every((worker) => worker.isRunning() && !worker.isPaused());
  return startHeartbeat(redis, {
    prefix: config.QUEUE_PREFIX,
    runnerId: nanoid(),
    clock,
    isConsuming,
    state,
  });
}
