import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { Pool } from 'undici';
import { z } from 'zod';
import type { Config } from '../shared/config.ts';
import { LC500Error } from '../shared/errors.ts';
import { endToEnd, isHeaderName, isHeaderValue, toPairs, type HeaderPair } from '../shared/headers.ts';
import type { Invocation } from '../shared/invocation.ts';

/** The per-request context that a script gets beside the request. */
export interface Blueprint {
  readonly status: number;
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
}

export interface BlueprintSource {
  /** @throws LC500Error `blueprint_unavailable` */
  fetch(invocation: Invocation, signal: AbortSignal): Promise<Blueprint>;
  close(): Promise<void>;
}

const EMPTY: Blueprint = Object.freeze({ status: 200, headers: [], body: Buffer.alloc(0) });
const CONNECTIONS = 64;

export function createBlueprintSource(config: Config, s3: S3Client): BlueprintSource {
  const target = config.BLUEPRINT_TARGET;
  if (target.kind === 'http') return overHttp(target.origin, config);
  if (target.kind === 's3') return fromBucket(s3, config);
  return { fetch: () => Promise.resolve(EMPTY), close: () => Promise.resolve() };
}

/**
 * Repeats the request to an HTTP server in proxy form: absolute URI as the request target, everything else as
 * the client sent it. Redirects are not followed. Source: RFC 9112 section 3.2.2 (absolute-form).
 */
function overHttp(origin: string, config: Config): BlueprintSource {
  const timeout = config.UPSTREAM_TIMEOUT_MS;
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    connect: { timeout },
  });
  return {
    async fetch({ request, blueprintKey }, signal) {
      if (blueprintKey === null) return EMPTY;
      try {
        const answer = await pool.request({
          path: blueprintKey,
          method: request.method,
          headers: endToEnd(request.headers).flat(),
          body: request.body.length > 0 ? request.body : null,
          responseHeaders: 'raw',
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
        });
        const headers = toPairs(answer.headers as unknown as string[]);
        return {
          status: answer.statusCode,
          headers,
          body: await readBounded(answer.body, config.MAX_RESPONSE_BYTES),
        };
      } catch (error) {
        throw unavailable(`the blueprint server ${origin} did not answer: ${String(error)}`, error);
      }
    },
    close: () => pool.close(),
  };
}

/** Object `<hostname>/blueprint.json`; none: the empty blueprint. */
function fromBucket(s3: S3Client, config: Config): BlueprintSource {
  return {
    async fetch({ blueprintKey }, signal) {
      if (blueprintKey === null) return EMPTY;
      try {
        const command = new GetObjectCommand({ Bucket: config.AWS_BUCKET, Key: blueprintKey });
        const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(config.UPSTREAM_TIMEOUT_MS)]);
        const object = await s3.send(command, { abortSignal });
        if ((object.ContentLength ?? 0) > config.MAX_RESPONSE_BYTES)
          throw new RangeError('the object is too large');
        return parseBlueprint((await object.Body?.transformToString()) ?? '');
      } catch (error) {
        if (error instanceof NoSuchKey) return EMPTY;
        throw unavailable(`the blueprint ${blueprintKey} cannot be had: ${String(error)}`, error);
      }
    },
    close: () => Promise.resolve(),
  };
}

const schema = z.strictObject({
  status: z.int().min(100).max(599).default(200),
  headers: z.array(z.tuple([z.string().refine(isHeaderName), z.string().refine(isHeaderValue)])).default([]),
  body: z.string().default(''),
});

/** An object of the form `{status, headers, body}`, or any other JSON, which becomes the body of a 200. */
export function parseBlueprint(text: string): Blueprint {
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) return { ...EMPTY, body: Buffer.from(text) };
  return { ...parsed.data, body: Buffer.from(parsed.data.body) };
}

async function readBounded(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new RangeError(`a blueprint of more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unavailable(message: string, cause: unknown): LC500Error {
  return new LC500Error('blueprint_unavailable', message, { cause });
}
