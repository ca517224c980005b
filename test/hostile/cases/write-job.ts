import type { Job } from 'bullmq';
import type { Invocation } from '../../../shared/invocation.ts';
import { JOB_NAME, JOB_OPTIONS } from '../../../shared/queue.ts';
import { waitFor } from '../../helpers/wait.ts';
import type { AttackRoom } from '../hostile-case.ts';

let jobs = 0;

/** A job as a gateway would write it. */
export function genuine({ hostname, prefix }: AttackRoom): Invocation {
  const id = `intruder${++jobs}x${process.pid}`;
  return {
    id,
    hostname,
    request: { method: 'GET', url: '/', headers: [], body: Buffer.alloc(0) },
    scriptKey: `${hostname}/index.js`,
    blueprintKey: null,
    deadline: Date.now() + 20_000,
    replyTo: `${prefix}:replies:${id}`,
  };
}

/**
 * Writes a job and waits until no runner has it any more.
 *
 * @returns why it failed; of one that is gone, the code that its record or its reply has, or `answered`
 */
export async function settle(
  room: AttackRoom,
  { id, replyTo }: Invocation,
  data: unknown,
  hasReply = true,
): Promise<string> {
  const job = await room.queue.add(JOB_NAME, data, { ...JOB_OPTIONS, jobId: id });
  const failure = await endOf(room, job, id);
  if (failure !== undefined) return failure;
  return (await recordedCode(room, id)) ?? (hasReply ? repliedCode(room, replyTo) : 'answered');
}

/** @returns why it failed; `undefined`: it is gone */
export async function endOf({ queue }: AttackRoom, job: Job, id: string): Promise<string | undefined> {
  let state = '';
  await waitFor('the end of the job', async () => {
    state = await job.getState();
    return state === 'failed' || state === 'unknown';
  });
  if (state === 'unknown') return undefined;
  const reason = (await queue.getJob(id))?.failedReason ?? '';
  await queue.remove(id);
  return reason;
}

/** The code of an invocation's record: its job is gone as soon as there is one. */
async function recordedCode({ system, prefix }: AttackRoom, id: string): Promise<string | undefined> {
  const text = await system.redis.hget(`${prefix}:records:one:${id}`, 'json');
  return text === null ? undefined : (JSON.parse(text) as { code: string }).code;
}

/** Its stream has to be made first, so a reply may come after the job's end. */
async function repliedCode({ system }: AttackRoom, stream: string): Promise<string> {
  let head = '';
  await waitFor('its reply', async () => {
    const entries = await system.redis.xrange(stream, '-', '+');
    head = entries.find(([, [name]]) => name === 'h')?.[1][1] ?? '';
    return head !== '';
  });
  return (JSON.parse(head) as { code?: string }).code ?? 'answered';
}
