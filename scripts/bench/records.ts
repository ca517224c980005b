import { Redis } from 'ioredis';
import { startGateway } from '../../gateway/gateway.ts';
import { loadConfig } from '../../shared/config.ts';
import { createLog } from '../../shared/log.ts';
import { RecordStore } from '../../shared/records/record-store.ts';
import { formatTable } from '../cli/table.ts';
import { startThrowAwayServices } from '../services/throw-away.ts';
import { addSampleRecords, sampleQueries } from './sample-records.ts';

/**
 * How long the admin interface takes to list failed invocations, filtered in every way, and what a record of 230
 * bytes of body costs Redis.
 *
 * Usage: `npm run bench:records -- 10000`
 */
const COUNT = Number(process.argv[2] ?? 10_000);
const ASKS = 20;
const TOKEN = 'a-token-for-this-measurement';

await using stack = new AsyncDisposableStack();
const services = stack.use(await startThrowAwayServices());
const settings = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', ADMIN_TOKEN: TOKEN };
const config = loadConfig({ ...services.env, ...settings, FAILED_RETENTION_COUNT: String(COUNT) });
const gateway = await startGateway(config, createLog('bench', 'warn'));
stack.defer(() => gateway.close());
const redis = new Redis(config.REDIS_URL);
stack.defer(() => redis.disconnect());

const before = await usedMemory();
const now = Date.now();
await addSampleRecords(new RecordStore(redis, undefined, config), config, COUNT, now);
const each = ((await usedMemory()) - before) / COUNT;

const rows = [['list of 50 by', 'found', 'median, ms', 'longest, ms']];
for (const [name, query] of Object.entries(sampleQueries(now, COUNT))) rows.push(await measure(name, query));
console.log(`${COUNT} records, ${Math.round(each)} bytes of Redis each, indexes included`);
console.log(formatTable(rows));

async function measure(name: string, query: string): Promise<string[]> {
  const times: number[] = [];
  let found = 0;
  for (let i = 0; i < ASKS; i++) {
    const started = performance.now();
    const answer = await fetch(`http://127.0.0.1:${gateway.adminPort}/invocations?${query}`, {
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    found = ((await answer.json()) as { invocations: unknown[] }).invocations.length;
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const at = (part: number): string => (times[Math.floor(part * (ASKS - 1))] ?? 0).toFixed(1);
  return [name, String(found), at(0.5), at(1)];
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}
