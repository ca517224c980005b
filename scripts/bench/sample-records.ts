import type { Config } from '../../shared/config.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { makeRecord } from '../../shared/records/make-record.ts';
import type { RecordStore } from '../../shared/records/record-store.ts';

/** Records that are on their way to Redis at a time. */
const AT_ONCE = 500;
const TENANTS = ['even.example', 'odd.example'] as const;
const CODES = ['script_error', 'script_timeout'] as const satisfies readonly ErrorCode[];
const SPACING_MS = 100;

/**
 * Adds failed invocations of two tenants, of which each has failed with one code only and with ten versions of its
 * script: those of one tenant with the other one's code are the worst to look for, because there are none.
 *
 * @param now time of the newest, milliseconds; each is 100 ms older than the one before
 */
export async function addSampleRecords(
  store: RecordStore,
  config: Config,
  count: number,
  now: number,
): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE) {
    const indexes = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => first + i);
    await Promise.all(indexes.map((index) => addOne(store, config, index, now)));
  }
}

async function addOne(store: RecordStore, config: Config, index: number, now: number): Promise<void> {
  const kind = index % 2;
  const hostname = TENANTS[kind] ?? TENANTS[0];
  const acceptedAt = now - index * SPACING_MS;
  const { record, parts } = await makeRecord(
    {
      invocation: {
        id: `sample-${index}`,
        hostname,
        request: {
          method: 'POST',
          url: `/orders/${index}`,
          headers: [
            ['Host', hostname],
            ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
            ['Content-Type', 'application/json'],
          ],
          body: Buffer.from(JSON.stringify({ order: index, note: 'x'.repeat(200) })),
        },
        scriptKey: `${hostname}/index.js`,
        blueprintKey: null,
        deadline: acceptedAt + config.REQUEST_DEADLINE_MS,
        replyTo: 'none',
      },
      kind: 'failed',
      acceptedAt,
      attempts: 1,
      outcome: { kind: 'failure', code: CODES[kind] ?? CODES[0] },
      script: Buffer.from(`// version ${Math.floor(index / 2) % 10}`),
      scriptError: {
        name: 'TypeError',
        message: 'x is null',
        stack: 'TypeError: x is null\n    at index.js:1:1',
      },
      log: [{ level: 'log', text: `order ${index}` }],
    },
    config,
    undefined,
  );
  await store.add(record, parts);
}

/** What lists of these records are asked for, by name. */
export function sampleQueries(now: number, count: number): Record<string, string> {
  const ago = (part: number): string => new Date(now - count * SPACING_MS * part).toISOString();
  return {
    all: '',
    tenant: 'tenant=even.example',
    state: 'state=failed',
    code: 'code=script_timeout',
    'time range': `since=${ago(0.75)}&until=${ago(0.5)}`,
    'tenant and code': 'tenant=odd.example&code=script_timeout',
    'tenant and code, none': 'tenant=even.example&code=script_timeout',
    'tenant, code and time, none': `tenant=even.example&code=script_timeout&since=${ago(1)}`,
  };
}
