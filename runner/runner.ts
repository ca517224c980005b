import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { RedisClock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/log.ts';
import { JOB_OPTIONS, QUEUE_NAME } from '../shared/queue.ts';
import { connectPatient, connectWhenThere, requireNoEviction } from '../shared/redis.ts';
import type { RunnerState } from '../shared/runner-state.ts';
import { createS3 } from '../shared/s3.ts';
import { createBlueprintSource } from './blueprint.ts';
import { startHeartbeat } from './heartbeat.ts';
import { replyToLostJob } from './lost-job.ts';
import { createProcessor } from './processor.ts';
import { detectLauncher } from './sandbox-launcher.ts';
import { Sandboxes } from './sandboxes.ts';
import { ScriptStore } from './script-store.ts';
import { runnerState } from './usage.ts';

/** A dead runner's jobs are noticed within lock + check interval: under 5 s. */
const LOCK_MS = 3000;
const STALLED_CHECK_MS = 1500;
/** Jobs in hand beside the running ones, so that no sandbox waits for Redis, and slow blueprints hold nobody up. */
const IN_HAND = { withoutBlueprint: 4, withBlueprint: 32 };

export interface Runner {
  /** Takes no new job, finishes those it has, lets go of everything. */
  close(): Promise<void>;
}

/** Puts a runner together and starts it; resolves when it takes jobs. */
export async function startRunner(config: Config, log: Logger): Promise<Runner> {
  await using stack = new AsyncDisposableStack();
  const redis = connectPatient(config.REDIS_URL, log);
  stack.defer(() => redis.disconnect());
  const sandboxes = createSandboxes(config, log);
  stack.defer(() => sandboxes.close());
  await Promise.all([sandboxes.start(), connectWhenThere(redis)]);
  await requireNoEviction(redis, log);
  const clock = new RedisClock(redis);
  await clock.start();
  stack.defer(() => clock.stop());
  const s3 = createS3(config);
  stack.defer(() => s3.destroy());
  const blueprints = createBlueprintSource(config, s3);
  stack.defer(() => blueprints.close());

  const scripts = new ScriptStore(s3, config);
  const process = createProcessor({ config, scripts, blueprints, sandboxes, redis, clock, log });
  const worker = createWorker(config, redis, log, process);
  stack.defer(() => worker.close());
  await worker.waitUntilReady();
  stack.defer(beat(config, redis, clock, worker, sandboxes));
  log.info({ sandboxes: sandboxes.size }, 'runner takes jobs');
  const owned = stack.move();
  return { close: () => owned.disposeAsync() };
}

function createSandboxes(config: Config, log: Logger): Sandboxes {
  const limits = {
    scriptMemoryMb: config.SCRIPT_MEMORY_MB,
    residentLimit: config.SANDBOX_MEMORY_MB * 1_048_576,
    // A code unit of the body takes up to three bytes; the rest is head and console log.
    frameLimit: 3 * config.MAX_RESPONSE_BYTES + 4 * 1_048_576,
  };
  return new Sandboxes({ size: config.RUNNER_SANDBOXES, launcher: detectLauncher(), limits, log });
}

function createWorker(
  config: Config,
  redis: Redis,
  log: Logger,
  process: ReturnType<typeof createProcessor>,
): Worker {
  const inHand = config.BLUEPRINT_TARGET.kind === 'none' ? IN_HAND.withoutBlueprint : IN_HAND.withBlueprint;
  const worker = new Worker(QUEUE_NAME, process, {
    connection: redis,
    prefix: config.QUEUE_PREFIX,
    concurrency: config.RUNNER_SANDBOXES + inHand,
    removeOnComplete: { count: 0 },
    removeOnFail: JOB_OPTIONS.removeOnFail,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    runRetryDelay: 500,
  });
  worker.on('error', (error) => log.warn({ err: error }, 'queue'));
  worker.on('failed', (job, error) => void replyToLostJob(redis, log, job, error));
  return worker;
}

function beat(
  config: Config,
  redis: Redis,
  clock: RedisClock,
  worker: Worker,
  sandboxes: Sandboxes,
): () => Promise<void> {
  const isConsuming = (): boolean => worker.isRunning() && !worker.isPaused();
  const state = (): RunnerState => runnerState(sandboxes);
  return startHeartbeat(redis, {
    prefix: config.QUEUE_PREFIX,
    runnerId: nanoid(),
    clock,
    isConsuming,
    state,
  });
}
