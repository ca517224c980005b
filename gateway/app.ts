import { setTimeout as delay } from 'node:timers/promises';
import Koa from 'koa';
import { nanoid } from 'nanoid';
import { errorKind, LC500Error, toLC500Error, type ErrorCode } from '../shared/errors.ts';
import type { HeaderPair } from '../shared/headers.ts';
import { isOwnPath, withoutLocation } from '../shared/async-location.ts';
import { idempotencyRecordKey } from '../shared/idempotency.ts';
import { scriptKeyOf, type Invocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import type { RunTimings } from '../shared/reply.ts';
import { dispatchAsync, type Accepted, type AsyncDispatcher } from './async/dispatch-async.ts';
import { asyncPreferenceOf, preferenceApplied, type AsyncPreference } from './async/preference.ts';
import { sendAccepted, serveLocation, type LocationServer } from './async/serve-location.ts';
import { blueprintKeyOf } from './blueprint-key.ts';
import { dispatchOnce, type Dispatched } from './dispatch-once.ts';
import { awaitReader, enterClient, type Edge } from './edge.ts';
import { sendProblem } from './errors.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import type { End, Ledger } from './ledger.ts';
import type { Client } from './proxies.ts';
import { readBody } from './request-body.ts';
import { hostnameOf, originForm, scriptsView } from './request.ts';
import { sendResponse, serverTiming, staleness } from './response.ts';
import { hasTooManyHeaders } from './server.ts';

export interface GatewayContext extends AsyncDispatcher, LocationServer {
  readonly log: Logger;
  readonly ledger: Ledger;
  /** Whether the gateway is shutting down: clients are then told to come back on another connection. */
  readonly isClosing: () => boolean;
  readonly edge: Edge;
}

/**
 * The public side: from a request to its answer.
 *
 *     hostname → body → invocation → queue … reply → answer
 *
 * Every request ends in `sendResponse` or `sendProblem`, once.
 */
export function createApp(context: GatewayContext): Koa {
  const app = new Koa();
  app.use(async (ctx) => {
    // Koa's own way of answering would change header names and guess content types.
    ctx.respond = false;
    await answer(context, ctx);
  });
  app.on('error', (error) => context.log.error({ err: error }, 'unexpected'));
  return app;
}

async function answer(context: GatewayContext, ctx: Koa.Context): Promise<void> {
  const { req, res } = ctx;
  const started = performance.now();
  const id = nanoid();
  const own = (timings?: RunTimings, requestId = id): HeaderPair[] => [
    ['X-Request-Id', requestId],
    ['Server-Timing', serverTiming(performance.now() - started, timings)],
    ...staleness(timings),
    ...(replayed ? [['Idempotency-Replayed', 'true'] as const] : []),
    ...applied,
    ...(context.edge.pipelines.endsWith(res, context.isClosing()) ? [['Connection', 'close'] as const] : []),
  ];
  const clientGone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) clientGone.abort(CLIENT_GONE);
  });
  let timings: RunTimings | undefined;
  let replayed = false;
  let end: End | undefined;
  let applied: readonly HeaderPair[] = [];
  try {
    if (hasTooManyHeaders(req, context.config.MAX_HEADERS)) throw new LC500Error('headers_too_large');
    const client = enterClient(context.edge, req, res);
    if (isOwnPath(originForm(req.url ?? '')))
      return await serveLocation(context, req, res, id, (requestId) => own(undefined, requestId));
    const invocation = await readInvocation(context, ctx, id, client);
    end = context.ledger.accept(id);
    const preference = asyncPreferenceOf(
      req.headers['prefer'] as string | undefined,
      context.config.REQUEST_DEADLINE_MS,
    );
    const result = await dispatchPreferred(context, invocation, preference, clientGone.signal);
    applied = preferenceApplied(preference, 'locationId' in result);
    if ('locationId' in result) {
      sendAccepted(res, result.locationId, own());
      return end('async');
    }
    ({ timings, replayed } = result);
    if (result.outcome.kind === 'failure') throw new LC500Error(result.outcome.code);
    sendResponse(res, result.outcome.response, own(timings));
    end('ok');
  } catch (thrown) {
    const error = toLC500Error(thrown);
    end?.(clientGone.signal.aborted ? 'client_gone' : error.code);
    if (!clientGone.signal.aborted) logFailure(context.log, id, error);
    const pauseMs = REFUSAL_PAUSE_MS.get(error.code);
    if (pauseMs !== undefined) await delay(pauseMs);
    if (!res.headersSent && !res.destroyed) sendProblem(res, error.code, id, own(timings), error.retryAfter);
  } finally {
    awaitReader(context.edge.answers, res, context.config.ANSWER_TIMEOUT_MS);
  }
  const url = withoutLocation(originForm(req.url ?? ''));
  context.log.debug({ requestId: id, method: req.method, url, status: res.statusCode }, 'answered');
}

function dispatchPreferred(
  context: GatewayContext,
  invocation: Invocation,
  preference: AsyncPreference | undefined,
  signal: AbortSignal,
): Promise<Dispatched | Accepted> {
  if (!preference) return dispatchOnce(context, invocation, signal);
  return dispatchAsync(context, invocation, preference.waitMs, signal);
}

/** Clients that ask again as soon as they are refused would keep the gateway busy with refusing them. */
const REFUSAL_PAUSE_MS: ReadonlyMap<ErrorCode, number> = new Map([
  ['tenant_overloaded', 250],
  ['overloaded', 20],
]);
const CLIENT_GONE = new Error('the client has gone');

async function readInvocation(
  context: GatewayContext,
  { req, res }: Koa.Context,
  id: string,
  client: Client | undefined,
): Promise<Invocation> {
  const { config, clock, replies, edge } = context;
  const deadline = clock.now() + config.REQUEST_DEADLINE_MS;
  const hostname = hostnameOf(req);
  const key = idempotencyKeyOf(req.method ?? 'GET', req.headers['idempotency-key'] as string | undefined);
  const body = await readBody(req, res, config.MAX_REQUEST_BYTES, edge.bodies);
  const request = scriptsView(req, client, body);
  return {
    id,
    secret: nanoid(),
    hostname,
    request,
    scriptKey: scriptKeyOf(hostname),
    blueprintKey: blueprintKeyOf(config, hostname, request.url),
    deadline,
    replyTo: replies.key,
    ...(key === undefined
      ? {}
      : { idempotencyRecord: idempotencyRecordKey(config.QUEUE_PREFIX, hostname, key) }),
  };
}

function logFailure(log: Logger, requestId: string, error: LC500Error): void {
  const record = { requestId, code: error.code, reason: error.message, err: error.cause };
  const isFault = errorKind(error.code).fault === 'operator' && error.code !== 'overloaded';
  if (isFault) log.error(record, 'failed');
  else log.debug(record, 'refused');
}
