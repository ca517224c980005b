import type { Job } from 'bullmq';
import { errorKind } from '../shared/errors.ts';
import { decodeInvocation, replyIdOf, type Invocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import type { RecordStore } from '../shared/records/record-store.ts';
import type { Abandonments } from './abandonments.ts';
import { foreignPart } from './belongings.ts';
import type { Bodies } from './bodies.ts';
import type { BlueprintSource } from './blueprint.ts';
import type { Callbacks } from './callbacks/callbacks.ts';
import type { JobHolder } from './job-holder.ts';
import type { CodeCache } from './code-cache.ts';
import { InvocationFailed } from './lost-job.ts';
import { once, type OnceContext } from './once.ts';
import { perform, type Performed, type Taken } from './perform.ts';
import type { Publisher } from './publisher.ts';
import type { Recorder } from './recorder.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { ScriptStore } from './script-store.ts';
import { Stopwatch } from './stopwatch.ts';
import type { RunTrace } from './trace.ts';
import type { UnderWay } from './under-way.ts';

export interface ProcessorContext extends OnceContext {
  readonly bodies: Bodies;
  readonly scripts: ScriptStore;
  readonly blueprints: BlueprintSource;
  readonly codeCache: CodeCache;
  readonly sandboxes: Sandboxes;
  readonly publisher: Publisher;
  readonly callbacks: Callbacks;
  /** Kept invocations: what is written, and what replays are taken from. */
  readonly recorder: Recorder;
  readonly store: RecordStore;
  readonly abandonments: Abandonments;
  readonly underWay: UnderWay;
  readonly holder: JobHolder;
  readonly log: Logger;
}

/**
 * What happens to a job, from top to bottom: read it, run it, publish the reply, finish the job.
 *
 * Every invocation that can be read gets exactly one reply from here, unless nobody waits for one: its client has
 * gone, another runner has the job by now, or it is a replay. One that failed through the tenant or the operator is
 * recorded after that, and its job fails; no job stays but one that is no invocation, or whose record could not be
 * made. Where the runner itself has to end, what another may run again goes back.
 */
export function createProcessor(context: ProcessorContext): (job: Job, token?: string) => Promise<void> {
  return async (job, token = '') => {
    const stopwatch = new Stopwatch();
    const invocation = readInvocation(context, job);
    const trace = traceOf(context.log, invocation);
    const result: Performed | undefined = await once(context, invocation, () =>
      perform(context, { job, token, invocation }, stopwatch, trace),
    );
    if (!result) {
      context.log.debug({ requestId: invocation.id, tenant: invocation.hostname }, 'nobody waits for it');
      return;
    }
    if (!context.holder.isCertain(job) && (await isRefused(context, { job, token, invocation }))) return;
    const { outcome, error } = result;
    const timings = stopwatch.read();
    if (!invocation.replay)
      context.publisher.publish(invocation, { id: replyIdOf(invocation), outcome, timings });
    context.log.debug({ requestId: invocation.id, tenant: invocation.hostname, timings }, 'replied');
    const { async } = invocation;
    if (async) await context.callbacks.announce({ ...invocation, async });
    const kind = context.recorder.wants(invocation, outcome);
    const isKept =
      kind && (await context.recorder.keep(kind, job, invocation, { ...result, timings, trace }));
    if (!error || errorKind(error.code).fault === 'client') return;
    if (isKept || !kind) job.opts.removeOnFail = true;
    throw new InvocationFailed(`${error.code}: ${error.message}`);
  };
}

/** The script's console goes to the runner's log as data, so that nothing in it can look like a record of ours. */
function traceOf(log: Logger, invocation: Invocation): RunTrace {
  return {
    invocation,
    lines: [],
    onConsole(lines) {
      this.lines = lines;
      const { id, hostname } = invocation;
      if (lines.length > 0) log.info({ requestId: id, tenant: hostname, lines }, 'console');
    },
  };
}

/** @throws InvocationFailed: the job fails, is kept, and the runner goes on */
function readInvocation({ clock, config }: ProcessorContext, job: Job): Invocation {
  let invocation: Invocation;
  try {
    invocation = decodeInvocation(job.data);
  } catch (error) {
    throw new InvocationFailed(
      `not an invocation: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const foreign = foreignPart(invocation, job.id, clock.now(), config);
  if (foreign === undefined) return invocation;
  // Nobody is replied to: where to is the intruder's own word.
  throw new InvocationFailed(`not an invocation of this deployment: ${foreign}`);
}

/** Where outcomes are kept, the record has decided, and all runs reply with the same. */
async function isRefused(
  { holder, log }: ProcessorContext,
  { job, token, invocation }: Taken,
): Promise<boolean> {
  const { id, hostname, idempotencyRecord, async } = invocation;
  if (idempotencyRecord !== undefined || async || (await holder.confirm(job, token))) return false;
  log.warn({ requestId: id, tenant: hostname }, 'result refused: another runner has the job');
  return true;
}
