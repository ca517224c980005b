import { z } from 'zod';
import { encodeBody, decodeBody } from './body.ts';
import type { HeaderPair } from './headers.ts';
import { replaySchema, type Replay } from './records/record.ts';

/** The request as it arrived: what the script and the blueprint server are to see. */
export interface InvocationRequest {
  readonly method: string;
  /** Path and query as received, `/a/b?x=1`. */
  readonly url: string;
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
}

/** Larger bodies, bytes, lie beside their job: shared/job-body.ts. */
const LARGEST_IN_JOB = 16_384;

/** One request's job. Everything that a run needs, so that it can be run again later. */
export interface Invocation {
  /** Also the job's id and the answer's `X-Request-Id`. */
  readonly id: string;
  /** What a reply must know beside the id to be believed; nobody outside gets to see it. */
  readonly secret?: string;
  /** The tenant, as `parseHost` gives it. */
  readonly hostname: string;
  readonly request: InvocationRequest;
  /** Length of the body, bytes, where it lies beside the job and has not been fetched yet: `request` has none then. */
  readonly bodyBeside?: number;
  /** Object key of the script. */
  readonly scriptKey: string;
  /** Absolute URI (blueprint by HTTP) or object key (blueprint from the bucket); `null`: no blueprint. */
  readonly blueprintKey: string | null;
  /** Redis's clock, milliseconds: after this nobody waits for the answer. */
  readonly deadline: number;
  /** Redis key of the stream that the answer goes to. */
  readonly replyTo: string;
  /** Redis key of its `Idempotency-Key`'s record; only there when the client sent one that counts. */
  readonly idempotencyRecord?: string;
  /** Only there when the client was told that it is done later (`Prefer: respond-async`). */
  readonly async?: AsyncTerms;
  /**
   * Only there when this runs another invocation again: then nobody waits for a reply, the outcome is recorded,
   * and headers and body are in that one's record rather than here.
   */
  readonly replay?: Replay;
}

/** How an answer that comes later is got. */
export interface AsyncTerms {
  /** Last part of its location; who knows it may read the answer. */
  readonly locationId: string;
  /** Redis's clock, milliseconds: until then a gateway waits for the reply, after it for nobody. */
  readonly waitUntil: number;
}

const VERSION = 1;
/** Of a replay, which a runner that knows nothing of records must not run: it would run half a request. */
const REPLAY_VERSION = 2;

const schema = z
  .object({
    v: z.literal([VERSION, REPLAY_VERSION]),
    // With the secret behind it, so that runners that know nothing of one reply with it all the same.
    id: z.string().min(1).max(64),
    hostname: z.string().min(1).max(255),
    method: z.string().min(1),
    url: z.string().min(1),
    headers: z.array(z.tuple([z.string(), z.string()])),
    body: z.discriminatedUnion('encoding', [
      z.object({ encoding: z.enum(['utf8', 'base64']), data: z.string() }),
      z.object({ encoding: z.literal('beside'), bytes: z.int().positive() }),
    ]),
    scriptKey: z.string().min(1),
    blueprintKey: z.string().min(1).nullable(),
    deadline: z.number().finite(),
    replyTo: z.string().min(1),
    // Optional, so that jobs of gateways that know nothing of it are still jobs.
    idempotencyRecord: z.string().min(1).exactOptional(),
    async: z.object({ locationId: z.string().min(1), waitUntil: z.number().finite() }).exactOptional(),
    replay: replaySchema.exactOptional(),
  })
  .refine(({ v, replay }) => (v === REPLAY_VERSION) === (replay !== undefined));

/** An invocation as it lies in the job, JSON. */
export type InvocationData = z.input<typeof schema>;

export function encodeInvocation(invocation: Invocation): InvocationData {
  const { request, secret: _secret, ...rest } = invocation;
  return {
    v: invocation.replay ? REPLAY_VERSION : VERSION,
    ...rest,
    id: replyIdOf(invocation),
    method: request.method,
    url: request.url,
    headers: request.headers as [string, string][],
    body: goesBeside(invocation)
      ? { encoding: 'beside', bytes: request.body.length }
      : encodeBody(request.body),
  };
}

/**
 * Whether an invocation's body does not go into the job itself. Whoever adds the job has to put it beside it: as JSON,
 * and in BullMQ's Lua scripts, a megabyte costs Redis, gateway and runner several times what its bytes do.
 */
export function goesBeside({ request }: Invocation): boolean {
  return request.body.length > LARGEST_IN_JOB;
}

/** @throws ZodError when the job is not an invocation, or one of a version that this runner does not know. */
export function decodeInvocation(data: unknown): Invocation {
  const { v: _version, id: replyId, method, url, headers, body, ...rest } = schema.parse(data);
  const id = requestIdOf(replyId);
  const request = { method, url, headers, body: body.encoding === 'beside' ? NO_BODY : decodeBody(body) };
  const beside = body.encoding === 'beside' ? { bodyBeside: body.bytes } : {};
  if (id.length === replyId.length) return { ...rest, ...beside, id, request };
  return { ...rest, ...beside, id, secret: replyId.slice(id.length + 1), request };
}

const NO_BODY = Buffer.alloc(0);

/** In no id of ours: they are of nanoid's alphabet. */
const BEFORE_SECRET = '.';

/** The id that an invocation's reply has to bear, and that its gateway waits for: `<id>.<secret>`. */
export function replyIdOf({ id, secret }: Pick<Invocation, 'id' | 'secret'>): string {
  return secret === undefined ? id : `${id}${BEFORE_SECRET}${secret}`;
}

/** The public part of a reply's id: that of the invocation, its job and its answer. */
export function requestIdOf(replyId: string): string {
  const end = replyId.indexOf(BEFORE_SECRET);
  return end < 0 ? replyId : replyId.slice(0, end);
}

/** Where a hostname's script lies in the bucket. */
export function scriptKeyOf(hostname: string): string {
  return `${hostname}/index.js`;
}

/**
 * Methods that may be run a second time without being asked to: RFC 9110 section 9.2.2.
 */
export function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'].includes(method);
}
