import type { Job } from 'bullmq';
import { errorKind, LC500Error, toLC500Error } from '../shared/errors.ts';
import type { Invocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import type { Outcome, ScriptResponse } from '../shared/reply.ts';
import type { ProcessorContext } from './processor.ts';
import { restoreReplay } from './replay.ts';
import { runScript } from './run.ts';
import { giveUp, refuseSecondRun } from './second-run.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { RunTrace } from './trace.ts';
import { ABANDONED, CLOSING, TAKEN } from './under-way.ts';

/** One reason for all: making an error with its stack for each request is dear. */
const OVER = new LC500Error('deadline_exceeded');

/** What became of an invocation. */
export interface Performed {
  readonly outcome: Outcome;
  readonly error?: LC500Error;
}

/** A job in this runner's hands. */
export interface Taken {
  readonly job: Job;
  /** What it was taken with. */
  readonly token: string;
  readonly invocation: Invocation;
}

/**
 * Runs an invocation within its time.
 *
 * @returns `undefined` when the client has gone, or another runner has the job
 */
export async function perform(
  context: ProcessorContext,
  { job, token, invocation }: Taken,
  stopwatch: Stopwatch,
  trace: RunTrace,
): Promise<Performed | undefined> {
  const deadline = new AbortController();
  const left = timeLeft(context, invocation);
  const timer = setTimeout(() => deadline.abort(OVER), left);
  const done = context.underWay.add(invocation.id, { controller: deadline, job, token });
  context.abandonments.begin(invocation.id, deadline);
  try {
    if (job.attemptsStarted > 1) await context.abandonments.recall(invocation.id, deadline);
    if (deadline.signal.reason === ABANDONED) return undefined;
    if (left <= 0)
      throw new LC500Error('deadline_exceeded', 'the deadline had passed before a runner took the job');
    refuseSecondRun(job, invocation);
    context.bodies.refuseTooLarge(invocation);
    trace.invocation = await context.bodies.complete(job, invocation, deadline.signal);
    const response = await run(context, trace.invocation, deadline.signal, stopwatch, trace);
    return { outcome: { kind: 'response', response } };
  } catch (thrown) {
    // Whatever else broke when the time was up, or the client had gone, broke because of it.
    const { aborted: isOver, reason } = deadline.signal;
    // Ends what is still under way for this invocation, such as a blueprint that nobody needs any more.
    deadline.abort(OVER);
    if (reason === ABANDONED || reason === TAKEN || thrown === TAKEN) return undefined;
    const error = reason === CLOSING ? await giveUp(job, token, invocation) : errorOf(thrown, isOver);
    logFailure(context.log, invocation, error);
    return { outcome: { kind: 'failure', code: error.code }, error };
  } finally {
    clearTimeout(timer);
    done();
  }
}

function errorOf(thrown: unknown, isOver: boolean): LC500Error {
  return isOver ? new LC500Error('deadline_exceeded') : toLC500Error(thrown);
}

/** Milliseconds. A replay may wait for longer than a request, but not run for longer. */
function timeLeft({ clock, config }: ProcessorContext, { deadline, replay }: Invocation): number {
  const left = deadline - clock.now();
  if (!replay) return left;
  return Math.min(left, config.REQUEST_DEADLINE_MS + (replay.isAsync ? config.ASYNC_TIMEOUT_MS : 0));
}

function run(
  context: ProcessorContext,
  invocation: Invocation,
  signal: AbortSignal,
  stopwatch: Stopwatch,
  trace: RunTrace,
): Promise<ScriptResponse> {
  if (!invocation.replay) return runScript(context, invocation, signal, stopwatch, trace);
  return restoreReplay(context, invocation, invocation.replay).then(
    ({ invocation: restored, blueprints }) => {
      trace.invocation = restored;
      return runScript({ ...context, blueprints }, restored, signal, stopwatch, trace);
    },
  );
}

function logFailure(log: Logger, invocation: Invocation, error: LC500Error): void {
  const record = {
    requestId: invocation.id,
    tenant: invocation.hostname,
    code: error.code,
    reason: error.message,
  };
  if (errorKind(error.code).fault === 'operator') log.error(record, 'invocation failed');
  // Gateways refuse it before there is a job, unless their limit is another.
  else if (error.code === 'request_too_large') log.warn(record, 'invocation failed');
  else log.info(record, 'invocation failed');
}
