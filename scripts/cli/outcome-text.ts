import type { InvocationRecord } from './admin-schema.ts';

/** `answered 200`, or `script_error 500`. */
export function outcomeOf({ code, status }: Pick<InvocationRecord, 'code' | 'status'>): string {
  return `${code ?? 'answered'} ${status}`;
}

/** An error as it is written: `TypeError: …`. Foreign text. */
export function errorTextOf({ name, message }: NonNullable<InvocationRecord['error']>): string {
  return name !== null && !message.startsWith(name) ? `${name}: ${message}` : message;
}
