import { ListObjectsV2Command, type S3Client, type _Object as Listed } from '@aws-sdk/client-s3';
import type { Redis } from 'ioredis';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/log.ts';
import { PARTS_PREFIX, VERSIONS_PREFIX, type RecordBucket } from '../shared/records/record-bucket.ts';
import type { RecordStore } from '../shared/records/record-store.ts';

/** How often records that are too old are taken out of Redis, milliseconds. */
const EXPIRE_EVERY_MS = 60_000;
/** How often the bucket is swept, by one of all runners. */
const SWEEP_EVERY_MS = 3_600_000;
/**
 * Objects younger than this are let be: their records may be under way, or a runner may take for granted that they
 * are there (record-bucket.ts). By the storage's clock and this machine's.
 */
const LEAST_AGE_MS = 2 * 3_600_000;

export interface SweepOptions {
  readonly redis: Redis;
  readonly s3: S3Client;
  readonly config: Config;
  readonly store: RecordStore;
  readonly bucket: RecordBucket;
  readonly log: Logger;
}

/**
 * Takes out what retention has left: old records, and in the bucket what no record needs any more. What is needed
 * is looked up in Redis, so that after its loss (`FLUSHALL`) the bucket is emptied, too.
 *
 * @returns its end
 */
export function startRecordSweep(options: SweepOptions): () => void {
  const timer = setInterval(() => void sweep(options), EXPIRE_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

async function sweep(options: SweepOptions): Promise<void> {
  const { redis, config, store, log } = options;
  try {
    await store.expire();
    const lock = `${config.QUEUE_PREFIX}:records:sweep`;
    if (!(await redis.set(lock, 1, 'PX', SWEEP_EVERY_MS, 'NX'))) return;
    const removed = await sweepBucket(options, Date.now() - LEAST_AGE_MS);
    if (removed > 0) log.info({ removed }, 'objects that no record needs were removed');
  } catch (error) {
    log.warn({ err: error }, 'records could not be swept');
  }
}

/**
 * @param before milliseconds since the epoch: objects written since then are let be
 * @returns how many objects were removed
 */
export async function sweepBucket(
  options: Omit<SweepOptions, 'redis' | 'log'>,
  before: number,
): Promise<number> {
  const { store, bucket } = options;
  let removed = 0;
  for (const prefix of [VERSIONS_PREFIX, PARTS_PREFIX]) {
    for await (const { Key: key = '', LastModified: at } of list(options, prefix)) {
      if (!at || at.getTime() >= before || (await isNeeded(store, key))) continue;
      const source = prefix === VERSIONS_PREFIX ? await bucket.get(key) : undefined;
      await bucket.remove(key);
      removed++;
      // A record of this very version may have been made since the question.
      if (source && (await isNeeded(store, key))) await bucket.put(key, source);
    }
  }
  return removed;
}

/** `.versions/<hostname>/<sha256>.js` or `.records/<id>/<part>`. */
function isNeeded(store: RecordStore, key: string): Promise<boolean> {
  const [kind, name = '', file = ''] = key.split('/');
  return `${kind}/` === VERSIONS_PREFIX ? store.needsVersion(file.replace(/\.js$/, '')) : store.has(name);
}

async function* list(
  { s3, config }: Pick<SweepOptions, 's3' | 'config'>,
  prefix: string,
): AsyncGenerator<Listed> {
  let after: string | undefined;
  do {
    const { Contents: objects = [], IsTruncated: isTruncated } = await s3.send(
      new ListObjectsV2Command({ Bucket: config.AWS_BUCKET, Prefix: prefix, StartAfter: after }),
      { abortSignal: AbortSignal.timeout(config.UPSTREAM_TIMEOUT_MS) },
    );
    yield* objects;
    after = isTruncated ? objects.at(-1)?.Key : undefined;
  } while (after !== undefined);
}
