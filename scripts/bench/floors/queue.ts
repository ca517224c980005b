import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChild, type Child } from '../child.ts';
import { portOf } from '../child.ts';
import type { Latency } from '../statistics.ts';

const PREFIX = 'bench-floor';
const PRODUCER = join(import.meta.dirname, 'queue-producer.ts');
const WORKER = join(import.meta.dirname, 'queue-worker.ts');

export interface QueueFloor extends AsyncDisposable {
  /** @param pause milliseconds between one job's end and the next */
  measure(options: { seconds: number; inFlight: number; pause: number }): Promise<Latency & { rate: number }>;
}

/** BullMQ alone: add → process → reply between two processes, with the connection options of lc500's own. */
export async function startQueueFloor(redisUrl: string): Promise<QueueFloor> {
  const worker: Child = await startChild(
    process.execPath,
    [WORKER, redisUrl, PREFIX],
    { ...process.env },
    portOf,
  );
  return {
    async measure({ seconds, inFlight, pause }) {
      const args = [PRODUCER, redisUrl, PREFIX, ...[seconds, inFlight, pause].map(String)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      return JSON.parse(stdout) as Latency & { rate: number };
    },
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}
