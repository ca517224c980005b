import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisClock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/log.ts';
import { RecordBucket } from '../shared/records/record-bucket.ts';
import { RecordStore } from '../shared/records/record-store.ts';
import { createS3 } from '../shared/s3.ts';
import type { RecordSource } from './admin/record-routes.ts';
import type { ReplaySource } from './admin/replay-routes.ts';
import { ReplayDriver } from './replays/driver.ts';
import { RunStore } from './replays/run-store.ts';

/** The kept invocations as a gateway sees them: in the bucket, too, when it is told of one. */
export function keepRecords(
  deps: {
    readonly config: Config;
    readonly redis: Redis;
    readonly queue: Queue;
    readonly asyncQueue: Queue;
    readonly clock: RedisClock;
  },
  log: Logger,
  stack: AsyncDisposableStack,
): RecordSource & ReplaySource {
  const { config, redis } = deps;
  const bucket = openBucket(config, stack);
  const store = new RecordStore(redis, bucket, config);
  const runs = new RunStore(redis, config);
  const source = { ...deps, store, bucket };
  const driver = new ReplayDriver(source, runs, log);
  stack.defer(() => driver.close());
  return { ...source, runs, driver };
}

function openBucket(config: Config, stack: AsyncDisposableStack): RecordBucket | undefined {
  if (config.AWS_BUCKET === undefined) return undefined;
  const s3 = createS3(config);
  stack.defer(() => s3.destroy());
  return new RecordBucket(s3, config);
}
