import type { InvocationRecord } from './admin-schema.ts';

/** `answered 200`, or `script_error 500`. */
export function outcomeOf({ code, status }: Pick<InvocationRecord, 'code' | 'status'>): string {
  return `${code ?? 'answered'} ${status}`;
}
