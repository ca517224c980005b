import type { RecordBucket } from '../../shared/records/record-bucket.ts';
import { AdminProblem } from './problems.ts';

/** @throws AdminProblem `storage_unavailable` when this gateway has none */
export function requireBucket(bucket: RecordBucket | undefined): RecordBucket {
  if (!bucket)
    throw new AdminProblem('storage_unavailable', 'this gateway has no bucket: AWS_BUCKET is not set');
  return bucket;
}

/** @throws AdminProblem `storage_unavailable` for what the storage fails with */
export async function stored<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof AdminProblem || !isOfStorage(error)) throw error;
    throw new AdminProblem('storage_unavailable', `the storage does not answer: ${String(error)}`, {
      cause: error,
    });
  }
}

function isOfStorage(error: unknown): boolean {
  return error instanceof Error && ('$metadata' in error || /Abort|Timeout/.test(error.name));
}
