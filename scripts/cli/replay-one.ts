import { openAdmin } from './admin-options.ts';
import type { InvocationRecord } from './admin-schema.ts';
import { comparisonAsText } from './comparison-text.ts';
import { errorTextOf, outcomeOf } from './outcome-text.ts';
import { printable } from './printable.ts';
import { orderOf, type ReplayOptions } from './replay-order.ts';
import { replayed } from './replay-outcome.ts';

export type ReplayOneOptions = ReplayOptions & { readonly again?: true };

/** `lc500 replay ID`. */
export async function replayOne(id: string, options: ReplayOneOptions): Promise<void> {
  const admin = await openAdmin(options);
  const order = { ...(await orderOf(options)), again: options.again ?? false };
  const record = await replayed(admin, id, order);
  process.stdout.write(options.json ? `${JSON.stringify(record, undefined, 2)}\n` : asText(id, record));
  if (record.code !== null) process.exitCode = 1;
}

function asText(id: string, record: InvocationRecord): string {
  const { replayOf, error } = record;
  const comparison = replayOf?.comparison;
  const lines = [
    `${id} replayed as ${record.id} (script ${replayOf?.script}, blueprint ${replayOf?.blueprint})`,
    outcomeOf(record),
    ...(error ? [printable(errorTextOf(error)).replaceAll(/^/gm, '  ')] : []),
    ...(comparison ? ['compared with the original:', ...comparisonAsText(comparison)] : []),
    `npx lc500 invocations show ${record.id}`,
  ];
  return `${lines.join('\n')}\n`;
}
