import { Router } from '@koa/router';
import { nanoid } from 'nanoid';
import { z } from 'zod';
import type { RecordFilter } from '../../shared/records/record-indexes.ts';
import type { Page } from '../../shared/records/record-store.ts';
import type { ReplayDriver } from '../replays/driver.ts';
import type { RunOrder, RunStore } from '../replays/run-store.ts';
import { refuseAtOnce, startReplay, type ReplayDeps } from '../replays/start-replay.ts';
import { jsonBody } from './json-body.ts';
import { AdminProblem } from './problems.ts';
import { filterSchema, parseInput } from './record-query.ts';

export interface ReplaySource extends ReplayDeps {
  readonly runs: RunStore;
  readonly driver: ReplayDriver;
}

const script = z
  .union([z.enum(['original', 'current']), z.strictObject({ source: z.string() })])
  .default('original');
const blueprint = z.enum(['original', 'fresh']).default('original');
const unsafe = z.boolean().default(false);

const oneSchema = z.strictObject({ script, blueprint, unsafe, again: z.boolean().default(false) });
const manySchema = z.strictObject({
  filter: filterSchema,
  script,
  blueprint,
  unsafe,
  rate: z.number().positive().max(1000).default(10),
  dryRun: z.boolean().default(false),
});

const PAGE = 500;
const MAX_REPLAYS_SHOWN = 1000;

/** Running kept invocations again: `/invocations/{id}/replay` and `/replays` of openapi.yaml. */
export function replayRoutes(source: ReplaySource): Router {
  const { store, runs } = source;
  const router = new Router();
  router.post('/invocations/:id/replay', async (ctx) => {
    const order = parseInput(oneSchema, await jsonBody(ctx.req, source.config.MAX_REQUEST_BYTES));
    const of = ctx.params['id'] ?? '';
    const record = await store.get(of);
    if (!record) throw await missing(source, of);
    const id = nanoid();
    await startReplay(source, record, order, { id });
    ctx.status = 202;
    ctx.body = { id };
  });
  router.post('/replays', async (ctx) => {
    const { filter, dryRun, ...order } = parseInput(
      manySchema,
      await jsonBody(ctx.req, source.config.MAX_REQUEST_BYTES),
    );
    const ids = await matching(source, { ...filter, kind: 'failed' });
    if (dryRun) {
      ctx.body = { count: ids.length, skipped: await skipped(source, ids, order) };
      return;
    }
    const id = nanoid();
    // Oldest first, as they came.
    await runs.create(id, order, ids.toReversed());
    void source.driver.look();
    ctx.status = 202;
    ctx.body = { id };
  });
  router.get('/replays/:id', async (ctx) => {
    const id = ctx.params['id'] ?? '';
    const run = await runOf(runs, id);
    const { order: _order, begun: _begun, done, outcomes, ...rest } = run;
    const succeeded = outcomes['answered'] ?? 0;
    const { ids: replays } = await store.list({ run: id }, MAX_REPLAYS_SHOWN);
    ctx.body = { id, ...rest, done, succeeded, failed: done - succeeded, outcomes, replays };
  });
  router.delete('/replays/:id', async (ctx) => {
    const id = ctx.params['id'] ?? '';
    const { state } = await runOf(runs, id);
    if (state === 'running') await runs.stop(id);
    ctx.status = 204;
  });
  return router;
}

/** There is no record of what still runs, and none of what was never kept. */
async function missing({ queue, asyncQueue }: ReplaySource, id: string): Promise<AdminProblem> {
  const states = await Promise.all([queue.getJobState(id), asyncQueue.getJobState(id)]);
  const isUnderWay = states.some((state) => !['unknown', 'completed', 'failed'].includes(state));
  return isUnderWay
    ? new AdminProblem('still_running', `${id} has not ended`)
    : new AdminProblem('not_found', `there is no record of ${id}`);
}

/** Newest first. */
async function matching({ store }: ReplaySource, filter: RecordFilter): Promise<string[]> {
  const ids: string[] = [];
  let page: Page | undefined;
  do {
    page = await store.list(filter, PAGE, page?.next);
    ids.push(...page.ids);
  } while (page.next);
  return ids;
}

/** How many would be skipped, by reason, as far as their records tell. */
async function skipped({ store }: ReplaySource, ids: readonly string[], order: RunOrder) {
  const reasons: Record<string, number> = {};
  for (let i = 0; i < ids.length; i += PAGE) {
    for (const record of await store.getMany(ids.slice(i, i + PAGE))) {
      try {
        refuseAtOnce(record, { ...order, again: false });
      } catch (error) {
        if (!(error instanceof AdminProblem)) throw error;
        reasons[error.code] = (reasons[error.code] ?? 0) + 1;
      }
    }
  }
  return reasons;
}

async function runOf(runs: RunStore, id: string) {
  const run = await runs.get(id);
  if (!run) throw new AdminProblem('not_found', `there is no replay of many ${id}`);
  return run;
}
