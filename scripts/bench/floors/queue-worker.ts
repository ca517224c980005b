import { Worker } from 'bullmq';
import { pino } from 'pino';
import { connectPatient } from '../../../shared/redis.ts';
import { WORKER_OPTIONS } from '../../../shared/queue.ts';

/**
 * The runner's side of the queue floor: an empty processor that tells who waits that it is done, by the cheapest
 * means Redis has (publish).
 *
 * Arguments: Redis URL, key prefix. Prints `{"port": 0}` when it takes jobs.
 */
const [url, prefix] = process.argv.slice(2) as [string, string];
const redis = connectPatient(url, pino({ level: 'silent' }));
const worker = new Worker(
  'floor',
  async (job) => void (await redis.publish(`${prefix}:floor-replies`, job.id ?? '')),
  { connection: redis, prefix, ...WORKER_OPTIONS, concurrency: 6 },
);
await worker.waitUntilReady();
process.stdout.write('{"port":0}\n');
process.once('SIGTERM', () => void worker.close().then(() => redis.disconnect()));
