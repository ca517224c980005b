import type { S3ServiceException } from '@aws-sdk/client-s3';
import { CliError, unreachableCode } from './errors.ts';
import type { Storage } from './storage.ts';

/**
 * Runs an operation of the storage; its failure becomes one line that names server and bucket.
 *
 * @throws CliError
 */
export async function withStorageErrors<T>(storage: Storage, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(explain(storage, error as S3ServiceException), { cause: error });
  }
}

/** Whether the storage answered that there is no such object (or, for `HeadObject`, no such bucket). */
export function isMissing(thrown: unknown): boolean {
  const { name, $metadata } = thrown as S3ServiceException;
  return name === 'NoSuchKey' || (name === 'NotFound' && $metadata?.httpStatusCode === 404);
}

function explain({ place, bucket, unreachableHint }: Storage, error: S3ServiceException): string {
  const status = error.$metadata?.httpStatusCode;
  const unreachable = unreachableCode(error) ?? silence(error);
  if (unreachable) return `cannot reach ${place} (${unreachable}); ${unreachableHint}`;
  if (error.name === 'NoSuchBucket') return `${place}: there is no bucket ${bucket}; check AWS_BUCKET`;
  if (status === 401 || status === 403) {
    // A HEAD has no body that could name the reason; the SDK calls it unknown.
    const reason = error.name === 'Unknown' || error.name === '403' ? 'Forbidden' : error.name;
    return `${place}: access denied (${reason}); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`;
  }
  if (error.name === 'CredentialsProviderError') {
    return `${place}: no credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`;
  }
  if (error.message === 'Region is missing') return `${place}: no region is known; set AWS_REGION`;
  const [firstLine] = error.message.split('\n');
  return `${place}: ${firstLine}${status === undefined ? '' : ` (HTTP ${status})`}`;
}

/** The SDK calls it a `TimeoutError` also when the server hung up. */
function silence(error: Error & { code?: string }): string | undefined {
  return ['AbortError', 'TimeoutError'].includes(error.name)
    ? (error.code ?? 'no answer in time')
    : undefined;
}
