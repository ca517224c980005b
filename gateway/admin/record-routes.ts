import { Router } from '@koa/router';
import { versionKeyOf, type RecordBucket } from '../../shared/records/record-bucket.ts';
import type { Page, RecordStore } from '../../shared/records/record-store.ts';
import { decodeLog, type InvocationRecord, type Part, type PartName } from '../../shared/records/record.ts';
import { AdminProblem } from './problems.ts';
import { encodeCursor, parseQuery, type RecordQuery } from './record-query.ts';
import { requireBucket, stored } from './storage-problems.ts';
import { summaryOf, viewOf } from './record-views.ts';

export interface RecordSource {
  readonly store: RecordStore;
  /** `undefined`: this gateway has no bucket. */
  readonly bucket: RecordBucket | undefined;
}

const MAX_REPLAYS_SHOWN = 100;

/** Looking at kept invocations, and removing them: `/invocations` of openapi.yaml. */
export function recordRoutes(source: RecordSource): Router {
  const { store } = source;
  const router = new Router({ prefix: '/invocations' });
  router.get('/', async (ctx) => {
    const { ids, next } = await page(store, parseQuery(ctx.query));
    const invocations = (await store.getMany(ids)).map(summaryOf);
    ctx.body = { invocations, ...(next ? { next: encodeCursor(next) } : {}) };
  });
  router.get('/:id', async (ctx) => {
    const record = await recordOf(store, ctx.params['id']);
    const { blueprint } = record;
    const [body, replays] = await Promise.all([
      blueprint ? stored(() => store.part(record.id, 'blueprint', blueprint.body)) : undefined,
      store.list({ replayOf: record.id }, MAX_REPLAYS_SHOWN),
    ]);
    ctx.body = viewOf(record, body, replays.ids);
  });
  router.delete('/:id', async (ctx) => {
    const { id } = await recordOf(store, ctx.params['id']);
    await stored(() => store.remove(id));
    ctx.status = 204;
  });
  router.get('/:id/log', async (ctx) => {
    const record = await recordOf(store, ctx.params['id']);
    ctx.body = decodeLog(await partOf(store, record, 'log', record.log));
  });
  router.get('/:id/body', async (ctx) => {
    const record = await recordOf(store, ctx.params['id']);
    ctx.body = await partOf(store, record, 'request', record.request.body);
  });
  router.get('/:id/answer', async (ctx) => {
    const record = await recordOf(store, ctx.params['id']);
    if (!record.answer) throw new AdminProblem('not_found', `${record.id} made no answer`);
    ctx.body = await partOf(store, record, 'answer', record.answer.body);
  });
  router.get('/:id/script', async (ctx) => {
    const version = await versionOf(source, await recordOf(store, ctx.params['id']));
    ctx.type = 'text/javascript';
    ctx.body = version;
  });
  return router;
}

/** Redis looks at a part of its records at a time; a page is filled all the same. */
async function page(store: RecordStore, { filter, limit, after }: RecordQuery): Promise<Page> {
  const ids: string[] = [];
  let next = after;
  do {
    const more: Page = await store.list(filter, limit - ids.length, next);
    ids.push(...more.ids);
    next = more.next;
  } while (next && ids.length < limit);
  return { ids, next };
}

/** @throws AdminProblem `not_found` */
async function recordOf(store: RecordStore, id: string | undefined): Promise<InvocationRecord> {
  const record = await store.get(id ?? '');
  if (!record) throw new AdminProblem('not_found', `there is no record of ${id}`);
  return record;
}

async function partOf(
  store: RecordStore,
  { id }: InvocationRecord,
  name: PartName,
  part: Part,
): Promise<Buffer> {
  const bytes = await stored(() => store.part(id, name, part));
  if (!bytes)
    throw new AdminProblem('body_gone', 'it is not in the bucket, or this gateway has none (AWS_BUCKET)');
  return bytes;
}

async function versionOf({ bucket }: RecordSource, { script, tenant }: InvocationRecord): Promise<Buffer> {
  if (script.sha256 === null) throw new AdminProblem('not_found', 'no script was had');
  const key = versionKeyOf(tenant, script.sha256);
  const source = await stored(() => requireBucket(bucket).get(key));
  if (!source) throw new AdminProblem('script_version_gone', `there is no ${key} in the bucket`);
  return source;
}
