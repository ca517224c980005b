import { expect, test } from 'vitest';
import { addSampleRecords, sampleQueries } from '../../scripts/bench/sample-records.ts';
import { loadConfig } from '../../shared/config.ts';
import { RecordStore } from '../../shared/records/record-store.ts';
import { ADMIN_TOKEN, adminOf } from '../helpers/admin.ts';
import { startSystem } from '../helpers/system.ts';

const COUNT = 10_000;
/** Far more than it takes: other tests run at the same time. `npm run bench:records` measures. */
const LIMIT_MS = 1000;

test('10,000 records are listed in no time, whatever they are filtered by', async () => {
  await using system = await startSystem({ runners: 0, env: { ADMIN_TOKEN } });
  const config = loadConfig(system.env);
  const now = Date.now();
  await addSampleRecords(new RecordStore(system.redis, undefined, config), config, COUNT, now);
  const admin = adminOf(system);
  const first = (await admin.get('/invocations?limit=1&tenant=odd.example')).json() as {
    invocations: { id: string }[];
  };
  const record = await admin.record(first.invocations[0]?.id ?? '');
  const queries = { ...sampleQueries(now, COUNT), script: `script=${record.script.sha256}` };
  const found: Record<string, number> = {};
  for (const [name, query] of Object.entries(queries)) {
    const started = performance.now();
    const answer = await admin.get(`/invocations?limit=500&${query}`);
    const tookMs = performance.now() - started;
    console.info(`${name}: ${tookMs.toFixed(1)} ms`);
    expect(tookMs).toBeLessThan(LIMIT_MS);
    found[name] = (answer.json() as { invocations: unknown[] }).invocations.length;
  }
  expect(found).toEqual({
    all: 500,
    tenant: 500,
    state: 500,
    code: 500,
    'time range': 500,
    'tenant and code': 500,
    'tenant and code, none': 0,
    'tenant, code and time, none': 0,
    script: 500,
  });
});
