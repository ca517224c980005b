import type { AdminClient } from './admin-client.ts';
import { AdminError } from './admin-errors.ts';
import { openAdmin, type AdminOptions } from './admin-options.ts';
import type { InvocationRecord } from './admin-schema.ts';
import { invocationAsText } from './invocation-text.ts';
import { framesOf } from './script-frames.ts';

/** `lc500 invocations show`. */
export async function showInvocation(id: string, options: AdminOptions & { json?: true }): Promise<void> {
  const admin = await openAdmin(options);
  const [record, console] = await Promise.all([admin.record(id), admin.log(id)]);
  const script = await scriptFor(admin, record);
  const { message = '', stack = null } = record.error ?? {};
  const frames = framesOf(message, stack, script);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...record, console, frames }, undefined, 2)}\n`);
    return;
  }
  const body = await orGone(admin.part(id, 'body'));
  process.stdout.write(invocationAsText(record, { console, frames, body }));
}

/** The source that ran, where an error names a place in it and it is still there. */
async function scriptFor(admin: AdminClient, record: InvocationRecord): Promise<string | undefined> {
  if (!record.error || !record.script.kept) return undefined;
  return (await orGone(admin.part(record.id, 'script')))?.toString();
}

async function orGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof AdminError && [404, 410].includes(error.status)) return undefined;
    throw error;
  }
}
