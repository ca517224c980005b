import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { Config } from '../shared/config.ts';
import { isHeaderName, isHeaderValue } from '../shared/headers.ts';
import type { Blueprint } from './blueprint.ts';
import { ObjectUnread, readObject } from './object-read.ts';
import { withRetries } from './retry.ts';

/**
 * A blueprint from the bucket; `undefined`: there is no such object.
 *
 * @throws ObjectUnread, SyntaxError when it is not JSON, or the signal's reason
 */
export async function readBlueprint(
  s3: S3Client,
  config: Pick<Config, 'AWS_BUCKET' | 'MAX_RESPONSE_BYTES' | 'UPSTREAM_TIMEOUT_MS'>,
  key: string,
  signal: AbortSignal,
): Promise<Blueprint | undefined> {
  const wanted = {
    bucket: config.AWS_BUCKET,
    key,
    maxBytes: config.MAX_RESPONSE_BYTES,
    timeoutMs: config.UPSTREAM_TIMEOUT_MS,
  };
  const found = await withRetries(
    () => readObject(s3, wanted, signal),
    (error) => error instanceof ObjectUnread && error.isPassing,
    signal,
  );
  return found.kind === 'object' ? parseBlueprint(found.body.toString()) : undefined;
}

const schema = z.strictObject({
  status: z.int().min(100).max(599).default(200),
  headers: z.array(z.tuple([z.string().refine(isHeaderName), z.string().refine(isHeaderValue)])).default([]),
  body: z.string().default(''),
});

/** An object of the form `{status, headers, body}`, or any other JSON, which becomes the body of a 200. */
export function parseBlueprint(text: string): Blueprint {
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) return { status: 200, headers: [], body: Buffer.from(text) };
  return { ...parsed.data, body: Buffer.from(parsed.data.body) };
}
