import type { IncomingMessage } from 'node:http';
import { Router } from '@koa/router';
import type { Queue } from 'bullmq';
import Koa from 'koa';
import type { Logger } from '../../shared/log.ts';
import { problems } from './problems.ts';
import { queueBoard } from './queue-board.ts';
import { recordRoutes, type RecordSource } from './record-routes.ts';
import { replayRoutes, type ReplaySource } from './replay-routes.ts';
import { scalingRoutes, type ScalingSource } from './scaling.ts';
import { requireToken } from './token.ts';

/** What the admin interface asks the gateway. */
export interface Probes {
  /** Empty when requests can be served; else what is missing, a sentence each. */
  readiness(): Promise<string[]>;
  /** Of the runners that take jobs: how many have sandboxes of which level. */
  sandboxLevels(): Promise<Record<string, number>>;
  readonly scaling: ScalingSource;
  readonly records: RecordSource & ReplaySource;
  /** For the queue's own view. */
  readonly queues: readonly Queue[];
  readonly log: Logger;
}

/**
 * The operator's side, on a port of its own.
 *
 * `GET /healthz`: 200 as long as the process is alive. `GET /readyz`: 200 when Redis answers and a runner takes
 * jobs, with the number of runners for each level of sandbox, else 503 with what is missing. All else is behind
 * the token. No answer is for the scripts of another origin's pages, nor to be kept.
 *
 * @param addressOf who asks: the client that is held to account for a wrong token
 */
export function createAdminApp(
  probes: Probes,
  token: string | undefined,
  addressOf: (message: IncomingMessage) => string,
): Koa {
  const open = new Router();
  open.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  open.get('/readyz', async (ctx) => {
    const [missing, sandboxes] = await Promise.all([probes.readiness(), probes.sandboxLevels()]);
    ctx.status = missing.length === 0 ? 200 : 503;
    ctx.body = missing.length === 0 ? { status: 'ready', sandboxes } : { status: 'not ready', missing };
  });
  const app = new Koa();
  app.use(async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('X-Content-Type-Options', 'nosniff');
    await next();
  });
  app.use(open.routes());
  app.use(open.allowedMethods());
  app.use(requireToken(token, addressOf));
  app.use(problems(probes.log));
  app.use(queueBoard(probes.queues));
  app.use(scalingRoutes(probes.scaling).routes());
  for (const router of [recordRoutes(probes.records), replayRoutes(probes.records)]) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  return app;
}
