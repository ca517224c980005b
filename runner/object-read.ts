import {
  GetObjectCommand,
  NoSuchKey,
  S3ServiceException,
  type GetObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { OverLimit, readBounded } from './bounded-body.ts';
import { requireWhole } from './object-check.ts';

export interface ObjectWanted {
  readonly bucket: string | undefined;
  readonly key: string;
  /** The version that is known already, asked for only when there is another. */
  readonly etag?: string | undefined;
  readonly maxBytes: number;
  /** Time for all of it, connecting included. */
  readonly timeoutMs: number;
}

export type ObjectFound =
  | { readonly kind: 'object'; readonly body: Buffer; readonly etag: string }
  /** It still is what `etag` names. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'missing' };

/**
 * Why an object was not had. `timeout` and `unavailable`: the storage did not answer, or said that it cannot at
 * the moment. `damaged`: what came is not what was stored. These three may be better the next time. `refused`:
 * an answer that will not change by asking again, such as wrong credentials. `too large`: over `maxBytes`.
 */
type Failure = 'timeout' | 'unavailable' | 'damaged' | 'refused' | 'too large';

export class ObjectUnread extends Error {
  override readonly name = 'ObjectUnread';
  readonly failure: Failure;

  constructor(failure: Failure, key: string, cause: unknown) {
    super(`${key}: ${failure}: ${String(cause)}`, { cause });
    this.failure = failure;
  }

  get isPassing(): boolean {
    return ['timeout', 'unavailable', 'damaged'].includes(this.failure);
  }
}

/**
 * Asks the storage once for an object, and takes it only whole (object-check.ts).
 *
 * @param signal nobody needs it any more
 * @throws ObjectUnread, or the signal's reason
 */
export async function readObject(
  s3: S3Client,
  wanted: ObjectWanted,
  signal?: AbortSignal,
): Promise<ObjectFound> {
  const timeout = AbortSignal.timeout(wanted.timeoutMs);
  const abortSignal = signal ? AbortSignal.any([signal, timeout]) : timeout;
  let answer: GetObjectCommandOutput | undefined;
  try {
    answer = await s3.send(commandFor(wanted), { abortSignal });
    const body = await bodyOf(answer, wanted.maxBytes);
    requireWhole(answer, body);
    return { kind: 'object', body, etag: answer.ETag ?? '' };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof NoSuchKey) return { kind: 'missing' };
    if (wanted.etag !== undefined && statusOf(error) === 304) return { kind: 'unchanged' };
    const failure = timeout.aborted ? 'timeout' : answer ? failureOfBody(error) : failureOfAnswer(error);
    throw new ObjectUnread(failure, wanted.key, error);
  }
}

/** Of an object that says that it is too large nothing is read. */
async function bodyOf({ Body, ContentLength = 0 }: GetObjectCommandOutput, limit: number): Promise<Buffer> {
  const body = Body as Readable;
  if (ContentLength <= limit) return readBounded(body, limit);
  body.destroy();
  throw new OverLimit(limit);
}

function commandFor({ bucket, key, etag }: ObjectWanted): GetObjectCommand {
  // A server that keeps no checksums ignores the mode; the SDK compares those that come.
  return new GetObjectCommand({ Bucket: bucket, Key: key, IfNoneMatch: etag, ChecksumMode: 'ENABLED' });
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

function failureOfAnswer(error: unknown): Failure {
  const status = statusOf(error) ?? 500;
  return status >= 500 || status === 408 || status === 429 ? 'unavailable' : 'refused';
}

/** Cut off, or not what its checksum says. */
function failureOfBody(error: unknown): Failure {
  return error instanceof OverLimit ? 'too large' : 'damaged';
}
