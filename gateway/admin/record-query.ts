import { z } from 'zod';
import type { RecordFilter } from '../../shared/records/record-indexes.ts';
import type { Place } from '../../shared/records/record-store.ts';
import { AdminProblem } from './problems.ts';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What both lists and replays of many are filtered by. */
export const filterSchema = z.strictObject({
  tenant: z.string().min(1).max(255).optional(),
  code: z.string().min(1).max(64).optional(),
  since: time.optional(),
  until: time.optional(),
  script: sha256.optional(),
});

const querySchema = filterSchema.extend({
  state: z.enum(['failed', 'answered']).optional(),
  run: z.string().min(1).max(64).optional(),
  limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(50),
  cursor: z.string().optional(),
});

export interface RecordQuery {
  readonly filter: RecordFilter;
  readonly limit: number;
  readonly after: Place | undefined;
}

/** @throws AdminProblem `bad_request` saying which parameter is not understood */
export function parseQuery(query: Readonly<Record<string, unknown>>): RecordQuery {
  const { limit, cursor, ...filter } = parseInput(querySchema, query);
  return { filter, limit, after: cursor === undefined ? undefined : decodeCursor(cursor) };
}

/** @throws AdminProblem `bad_request` */
export function parseInput<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new AdminProblem('bad_request', z.prettifyError(parsed.error));
  return parsed.data;
}

export function encodeCursor({ time: at, id }: Place): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

function decodeCursor(cursor: string): Place {
  const [, at, id] = /^(\d+(?:\.\d+)?) (\S+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at === undefined || id === undefined) throw new AdminProblem('bad_request', 'cursor: not one of ours');
  return { time: at, id };
}
