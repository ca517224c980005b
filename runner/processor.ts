import type { Job } from 'bullmq';
import type { RedisClock } from '../shared/clock.ts';
import { errorKind, LC500Error, toLC500Error } from '../shared/errors.ts';
import { decodeInvocation, isIdempotent, replyIdOf, type Invocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import type { Outcome } from '../shared/reply.ts';
import { ABANDONED, type Abandonments } from './abandonments.ts';
import type { ConsoleLine } from './answer.ts';
import { foreignPart } from './belongings.ts';
import type { BlueprintSource } from './blueprint.ts';
import type { Callbacks } from './callbacks/callbacks.ts';
import { InvocationFailed } from './lost-job.ts';
import { once, type OnceContext } from './once.ts';
import type { Publisher } from './publisher.ts';
import { runScript } from './run.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { ScriptStore } from './script-store.ts';
import { Stopwatch } from './stopwatch.ts';

export interface ProcessorContext extends OnceContext {
  readonly scripts: ScriptStore;
  readonly blueprints: BlueprintSource;
  readonly sandboxes: Sandboxes;
  readonly publisher: Publisher;
  readonly callbacks: Callbacks;
  readonly abandonments: Abandonments;
  readonly clock: RedisClock;
  readonly log: Logger;
}

/**
 * What happens to a job, from top to bottom: read it, run it, publish the reply, finish the job.
 *
 * Every invocation that can be read gets exactly one reply from here, unless nobody waits for one: its client has
 * gone. A job whose invocation failed through the tenant or the operator fails too, and so stays to be looked at;
 * an answered one, and an abandoned one, is gone.
 */
export function createProcessor(context: ProcessorContext): (job: Job) => Promise<void> {
  return async (job) => {
    const stopwatch = new Stopwatch();
    const invocation = readInvocation(context, job);
    const keepConsole = consoleKeeper(context.log, invocation);
    const result: Performed | undefined = await once(context, invocation, () =>
      perform(context, job, invocation, stopwatch, (lines) => keepConsole.take(lines)),
    );
    if (!result) {
      context.log.debug({ requestId: invocation.id, tenant: invocation.hostname }, 'nobody waits for it');
      return;
    }
    const { outcome, error } = result;
    const timings = stopwatch.read();
    context.publisher.publish(invocation, { id: replyIdOf(invocation), outcome, timings });
    context.log.debug({ requestId: invocation.id, tenant: invocation.hostname, timings }, 'replied');
    const { async } = invocation;
    if (async) await context.callbacks.announce({ ...invocation, async });
    if (!error || errorKind(error.code).fault === 'client') return;
    await keepConsole.store(job);
    throw new InvocationFailed(`${error.code}: ${error.message}`);
  };
}

/**
 * The script's console goes to the runner's log as data, so that nothing in it can look like a record of ours;
 * a failed job keeps it, too (BullMQ's job log).
 */
function consoleKeeper(log: Logger, { id, hostname }: Invocation) {
  let lines: readonly ConsoleLine[] = [];
  return {
    take(taken: readonly ConsoleLine[]): void {
      lines = taken;
      if (lines.length > 0) log.info({ requestId: id, tenant: hostname, lines }, 'console');
    },
    async store(job: Job): Promise<void> {
      if (lines.length > 0) await job.log(lines.map(({ level, text }) => `${level}: ${text}`).join('\n'));
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

/** One reason for all: making an error with its stack for each request is dear. */
const OVER = new LC500Error('deadline_exceeded');

interface Performed {
  readonly outcome: Outcome;
  readonly error?: LC500Error;
}

/** @returns `undefined` when the client has gone */
async function perform(
  context: ProcessorContext,
  job: Job,
  invocation: Invocation,
  stopwatch: Stopwatch,
  onConsole: (lines: readonly ConsoleLine[]) => void,
): Promise<Performed | undefined> {
  const deadline = new AbortController();
  const left = invocation.deadline - context.clock.now();
  const timer = setTimeout(() => deadline.abort(OVER), left);
  const unwatch = context.abandonments.watch(invocation.id, deadline);
  try {
    if (job.attemptsStarted > 1) await context.abandonments.recall(invocation.id, deadline);
    if (deadline.signal.reason === ABANDONED) return undefined;
    if (left <= 0)
      throw new LC500Error('deadline_exceeded', 'the deadline had passed before a runner took the job');
    refuseSecondRun(job, invocation);
    const response = await runScript(context, invocation, deadline.signal, stopwatch, onConsole);
    return { outcome: { kind: 'response', response } };
  } catch (thrown) {
    // Whatever else broke when the time was up, or the client had gone, broke because of it.
    if (deadline.signal.reason === ABANDONED) return undefined;
    const error = deadline.signal.aborted ? new LC500Error('deadline_exceeded') : toLC500Error(thrown);
    logFailure(context.log, invocation, error);
    return { outcome: { kind: 'failure', code: error.code }, error };
  } finally {
    clearTimeout(timer);
    unwatch();
    // Ends what is still under way for this invocation, such as a blueprint that nobody needs any more.
    deadline.abort(OVER);
  }
}

/**
 * A job that comes a second time was begun by a runner that has died since. Its script may have had effects, so
 * only an idempotent method is run again (RFC 9110 section 9.2.2), or one whose client sent an `Idempotency-Key`.
 */
function refuseSecondRun(job: Job, { request, idempotencyRecord }: Invocation): void {
  if (job.attemptsStarted > 1 && !isIdempotent(request.method) && idempotencyRecord === undefined) {
    throw new LC500Error('runner_lost', `the runner died and ${request.method} may not be run twice`);
  }
}

function logFailure(log: Logger, invocation: Invocation, error: LC500Error): void {
  const record = {
    requestId: invocation.id,
    tenant: invocation.hostname,
    code: error.code,
    reason: error.message,
  };
  if (errorKind(error.code).fault === 'operator') log.error(record, 'invocation failed');
  else log.info(record, 'invocation failed');
}
