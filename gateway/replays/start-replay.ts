import type { Queue } from 'bullmq';
import type { RedisClock } from '../../shared/clock.ts';
import type { Config } from '../../shared/config.ts';
import { encodeInvocation, scriptKeyOf, type Invocation } from '../../shared/invocation.ts';
import { JOB_NAME, JOB_OPTIONS, REPLAY_PRIORITY, replyStreamKey } from '../../shared/queue.ts';
import { versionKeyOf, type RecordBucket } from '../../shared/records/record-bucket.ts';
import type { RecordStore } from '../../shared/records/record-store.ts';
import type { InvocationRecord } from '../../shared/records/record.ts';
import { AdminProblem } from '../admin/problems.ts';
import { requireBucket, stored } from '../admin/storage-problems.ts';
import { blueprintKeyOf } from '../blueprint-key.ts';

export interface ReplayDeps {
  readonly config: Config;
  readonly queue: Queue;
  readonly asyncQueue: Queue;
  readonly clock: RedisClock;
  readonly store: RecordStore;
  readonly bucket: RecordBucket | undefined;
}

/** What a record is to be run again with. */
export interface ReplayOrder {
  readonly script: 'original' | 'current' | { readonly source: string };
  readonly blueprint: 'original' | 'fresh';
  /** Also methods that may have effects outside. */
  readonly unsafe: boolean;
  /** Though a replay of the record is under way. */
  readonly again: boolean;
}

/** The new invocation's id, and the replay of many that it belongs to. */
export interface ReplayIdentity {
  readonly id: string;
  readonly run?: string;
}

/** For how long a replay waits for live traffic to leave it a sandbox, milliseconds. */
export const REPLAY_WAIT_MS = 3_600_000;

/** RFC 9110 section 9.2.1. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * Enqueues an invocation that runs a recorded one again, behind all live traffic.
 *
 * @throws AdminProblem `unsafe_method`, `script_version_gone`, `blueprint_gone`, `still_running`, or
 *   `storage_unavailable`
 */
export async function startReplay(
  deps: ReplayDeps,
  record: InvocationRecord,
  order: ReplayOrder,
  { id, run }: ReplayIdentity,
): Promise<void> {
  refuseAtOnce(record, order);
  const { config, clock, store } = deps;
  const queue = record.isAsync ? deps.asyncQueue : deps.queue;
  const deadline = clock.now() + REPLAY_WAIT_MS;
  const { script, blueprint } = order;
  const invocation: Invocation = {
    id,
    hostname: record.tenant,
    // Body and headers are taken from the record when it is run: runner/replay.ts.
    request: { method: record.request.method, url: record.request.url, headers: [], body: Buffer.alloc(0) },
    scriptKey: await scriptKey(deps, record, script),
    blueprintKey: record.blueprintKey && blueprintKeyOf(config, record.tenant, record.request.url),
    deadline,
    // Nobody waits for a reply.
    replyTo: replyStreamKey(config.QUEUE_PREFIX, 'none'),
    replay: {
      of: record.id,
      script: typeof script === 'string' ? script : 'source',
      blueprint,
      ...(record.isAsync ? { isAsync: true } : {}),
      ...(run === undefined ? {} : { run }),
    },
  };
  if (!(await store.beginReplay(record.id, id, deadline, order.again)))
    throw new AdminProblem('still_running', `a replay of ${record.id} has not ended`);
  try {
    const options = { ...JOB_OPTIONS, jobId: id, priority: REPLAY_PRIORITY };
    await queue.add(JOB_NAME, encodeInvocation(invocation), options);
  } catch (error) {
    await store.forgetReplay(record.id, id).catch(() => undefined);
    throw error;
  }
}

/** What can be told from the record alone. @throws AdminProblem */
export function refuseAtOnce(record: InvocationRecord, { unsafe, script, blueprint }: ReplayOrder): void {
  const { request, blueprintKey } = record;
  if (!unsafe && !SAFE.has(request.method))
    throw new AdminProblem(
      'unsafe_method',
      `${request.method} may have effects outside; replay it with "unsafe"`,
    );
  if (script === 'original' && !record.script.kept)
    throw new AdminProblem('script_version_gone', 'the version that ran was not had, or could not be kept');
  if (blueprint === 'original' && blueprintKey !== null && !record.blueprint)
    throw new AdminProblem('blueprint_gone', 'the blueprint was not had');
}

/** The object that the replay's script is read from. */
async function scriptKey(
  { bucket }: ReplayDeps,
  { tenant, script }: InvocationRecord,
  mode: ReplayOrder['script'],
): Promise<string> {
  if (mode === 'current') return scriptKeyOf(tenant);
  if (typeof mode === 'object') {
    const source = Buffer.from(mode.source);
    return versionKeyOf(tenant, await stored(() => requireBucket(bucket).keepVersion(tenant, source)));
  }
  const key = versionKeyOf(tenant, script.sha256 ?? '');
  // A gateway without a bucket leaves it to the runner to find out.
  if (bucket && !(await stored(() => bucket.has(key))))
    throw new AdminProblem('script_version_gone', `there is no ${key} in the bucket`);
  return key;
}
