import type { Worker } from 'bullmq';
import type { ProcessorContext } from './processor.ts';
import { TAKEN } from './under-way.ts';

/**
 * Looks after jobs whose runner has died or was frozen.
 *
 * One that this runner notices to have lost its runner comes again, and the log says so. One that this runner has
 * lost itself, because it was frozen, is stopped: another runs it, and a sandbox is too dear for a result that will
 * be refused.
 */
export function watchJobs(
  worker: Worker,
  { log, holder, underWay }: Pick<ProcessorContext, 'log' | 'holder' | 'underWay'>,
): void {
  worker.on('stalled', (id) => log.warn({ requestId: id }, 'its runner is gone: the job comes again'));
  worker.on('lockRenewalFailed', (ids: readonly string[]) => {
    for (const id of ids) void stopWhenTaken(id);
  });
  const stopWhenTaken = async (id: string): Promise<void> => {
    const run = underWay.get(id);
    if (!run || (await holder.confirm(run.job, run.token))) return;
    log.warn({ requestId: id }, 'another runner has the job: stopped');
    run.controller.abort(TAKEN);
  };
}
