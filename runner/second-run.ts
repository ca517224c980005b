import { WaitingError, type Job } from 'bullmq';
import { LC500Error } from '../shared/errors.ts';
import { isIdempotent, type Invocation } from '../shared/invocation.ts';

/** A script may have had effects, so only an idempotent method is run again, or one with an `Idempotency-Key`. */
function mayRunAgain({ request, idempotencyRecord }: Invocation): boolean {
  return isIdempotent(request.method) || idempotencyRecord !== undefined;
}

/**
 * A job that comes a second time was begun by a runner that has died since (RFC 9110 section 9.2.2).
 *
 * @throws LC500Error `runner_lost`, before script and blueprint are asked for
 */
export function refuseSecondRun(job: Job, invocation: Invocation): void {
  if (job.attemptsStarted > 1 && !mayRunAgain(invocation)) {
    throw new LC500Error(
      'runner_lost',
      `the runner died and ${invocation.request.method} may not be run twice`,
    );
  }
}

/**
 * What becomes of an invocation whose runner has to end: the job goes back to the queue at once where another
 * runner may run it again.
 *
 * @returns the error that it ends with, where it may not
 * @throws WaitingError: BullMQ then leaves the job where it is
 */
export async function giveUp(job: Job, token: string, invocation: Invocation): Promise<LC500Error> {
  if (!mayRunAgain(invocation))
    return new LC500Error('runner_lost', 'the runner had to end before the script');
  await job.moveToWait(token);
  throw new WaitingError();
}
