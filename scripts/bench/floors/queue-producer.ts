import { Queue } from 'bullmq';
import { nanoid } from 'nanoid';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { JOB_OPTIONS } from '../../../shared/queue.ts';
import { connectFailFast, connectPatient, connectWhenThere } from '../../../shared/redis.ts';
import { latencyOf } from '../statistics.ts';

/**
 * The gateway's side of the queue floor: add a job of a small request's size, wait to be told that it is done.
 *
 * Arguments: Redis URL, key prefix, seconds, jobs in flight, pause in milliseconds. Prints
 * `{"rate": …, "p50": …, …}`.
 */
const [url, prefix, ...numbers] = process.argv.slice(2) as [string, string, ...string[]];
const [seconds, inFlight, pause] = numbers.map(Number) as [number, number, number];
const log = pino({ level: 'silent' });
const commands = connectFailFast(url, log);
const subscriber = connectPatient(url, log);
await Promise.all([connectWhenThere(commands), connectWhenThere(subscriber)]);
const queue = new Queue('floor', { connection: commands, prefix, skipMetasUpdate: true });
await queue.waitUntilReady();

const waiting = new Map<string, () => void>();
subscriber.on('message', (_channel, id) => waiting.get(id)?.());
await subscriber.subscribe(`${prefix}:floor-replies`);

const headers = [
  ['Host', 'hello.example'],
  ['User-Agent', 'bench'],
];

async function once(): Promise<number> {
  const begun = performance.now();
  const id = nanoid();
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.set(id, resolve);
  const data = { id, hostname: 'hello.example', method: 'GET', url: '/', headers, body: '' };
  await Promise.all([promise, queue.add('invocation', data, { ...JOB_OPTIONS, jobId: id })]);
  waiting.delete(id);
  return performance.now() - begun;
}

async function runFor(milliseconds: number): Promise<number[]> {
  const latencies: number[] = [];
  const end = performance.now() + milliseconds;
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      latencies.push(await once());
      if (pause > 0) await sleep(pause);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return latencies;
}

await runFor(300);
const begun = performance.now();
const latencies = await runFor(seconds * 1000);
const rate = (latencies.length / (performance.now() - begun)) * 1000;
process.stdout.write(JSON.stringify({ rate, ...latencyOf(latencies) }));
await queue.close();
commands.disconnect();
subscriber.disconnect();
