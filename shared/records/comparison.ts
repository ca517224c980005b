import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { HeaderPair } from '../headers.ts';

const pair = <T extends z.ZodType>(schema: T) => z.tuple([schema, schema]);

export const comparisonSchema = z.object({
  same: z.boolean(),
  code: pair(z.string().nullable()),
  status: pair(z.int()),
  error: pair(z.string().nullable()),
  headers: z.array(
    z.object({ name: z.string(), original: z.array(z.string()), replay: z.array(z.string()) }),
  ),
  body: z.object({
    same: z.boolean(),
    bytes: pair(z.int().nullable()),
    firstDifference: z.int().nullable(),
    excerpts: pair(z.string()).exactOptional(),
  }),
});

/** What differs between an invocation and its replay; the original comes first in each pair. */
export type Comparison = Readonly<z.output<typeof comparisonSchema>>;

/** One side: what became of an invocation. */
export interface Compared {
  readonly code: string | null;
  readonly status: number;
  readonly error: string | null;
  /** `undefined`: it made no answer, or its body is gone. */
  readonly answer: { readonly headers: readonly HeaderPair[]; readonly body: Buffer } | undefined;
}

/** Bytes that are shown of each side from a little before the first difference on. */
const EXCERPT_BYTES = 160;
const BEFORE_BYTES = 32;

export function compare(original: Compared, replay: Compared): Comparison {
  const headers = differingHeaders(original.answer?.headers ?? [], replay.answer?.headers ?? []);
  const body = compareBodies(original.answer?.body, replay.answer?.body);
  const isSame = original.code === replay.code && original.status === replay.status;
  return {
    same: isSame && original.error === replay.error && headers.length === 0 && body.same,
    code: [original.code, replay.code],
    status: [original.status, replay.status],
    error: [original.error, replay.error],
    headers,
    body,
  };
}

function differingHeaders(left: readonly HeaderPair[], right: readonly HeaderPair[]): Comparison['headers'] {
  const [original, replay] = [grouped(left), grouped(right)];
  return [...new Set([...original.keys(), ...replay.keys()])]
    .map((name) => ({ name, original: original.get(name) ?? [], replay: replay.get(name) ?? [] }))
    .filter(({ original: a, replay: b }) => JSON.stringify(a) !== JSON.stringify(b));
}

function grouped(headers: readonly HeaderPair[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return groups;
}

function compareBodies(original: Buffer | undefined, replay: Buffer | undefined): Comparison['body'] {
  const bytes: [number | null, number | null] = [original?.length ?? null, replay?.length ?? null];
  if (!original || !replay) return { same: original === replay, bytes, firstDifference: null };
  if (original.equals(replay)) return { same: true, bytes, firstDifference: null };
  const at = firstDifference(original, replay);
  const from = Math.max(0, at - BEFORE_BYTES);
  const excerpts = [original, replay].map((body) => body.subarray(from, from + EXCERPT_BYTES));
  const isText = isUtf8(original) && isUtf8(replay);
  return {
    same: false,
    bytes,
    firstDifference: at,
    // Cut in the middle of a character it shows U+FFFD there.
    ...(isText ? { excerpts: [String(excerpts[0]), String(excerpts[1])] as [string, string] } : {}),
  };
}

function firstDifference(a: Buffer, b: Buffer): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return i;
  return shorter;
}
