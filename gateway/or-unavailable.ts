import { LC500Error } from '../shared/errors.ts';

/** What Redis was asked for, or `queue_unavailable`. @param failed what did not come about, for the log */
export async function orUnavailable<T>(asked: Promise<T>, failed: string): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw new LC500Error('queue_unavailable', `${failed}: ${String(error)}`, { cause: error });
  }
}
