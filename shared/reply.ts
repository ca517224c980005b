import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from './errors.ts';
import type { HeaderPair } from './headers.ts';

/** Milliseconds that the runner measured on its own clock. */
export interface RunTimings {
  /** From taking the job to giving it to a sandbox: script, blueprint and a free sandbox. */
  readonly prepare: number;
  /** In the sandbox beside the script itself: filling the isolate, reading its answer, the pipe. */
  readonly isolate: number;
  /** Compiling and running the script. */
  readonly script: number;
  /** From taking the job to publishing the reply. */
  readonly total: number;
  /** How old the script was, if it was served though the storage was away. */
  readonly staleScript?: number | undefined;
}

export interface ScriptResponse {
  readonly status: number;
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
}

/** The invocation's outcome. */
export type Outcome =
  | { readonly kind: 'response'; readonly response: ScriptResponse }
  | { readonly kind: 'failure'; readonly code: ErrorCode };

export interface Reply {
  /** With the invocation's secret: `replyIdOf` of it. */
  readonly id: string;
  readonly outcome: Outcome;
  readonly timings: RunTimings;
}

const VERSION = 1;

const timings = z.object({
  prepare: z.number(),
  isolate: z.number(),
  script: z.number(),
  total: z.number(),
  staleScript: z.number().optional(),
});

const schema = z.discriminatedUnion('kind', [
  z.object({
    v: z.literal(VERSION),
    kind: z.literal('response'),
    id: z.string(),
    status: z.int().min(200).max(599),
    headers: z.array(z.tuple([z.string(), z.string()])),
    timings,
  }),
  z.object({
    v: z.literal(VERSION),
    kind: z.literal('failure'),
    id: z.string(),
    code: z.enum(ERROR_CODES),
    timings,
  }),
]);

/** The two fields of a reply's stream entry: a JSON head, and the body as it is (no base64, no JSON). */
export function encodeReply(reply: Reply): { head: string; body: Buffer } {
  const { id, outcome, timings: measured } = reply;
  if (outcome.kind === 'failure') {
    const head = { v: VERSION, kind: outcome.kind, id, code: outcome.code, timings: measured };
    return { head: JSON.stringify(head), body: Buffer.alloc(0) };
  }
  const { status, headers, body } = outcome.response;
  return {
    head: JSON.stringify({ v: VERSION, kind: outcome.kind, id, status, headers, timings: measured }),
    body,
  };
}

/** @throws SyntaxError or ZodError when it is not a reply. */
export function decodeReply(head: string, body: Buffer): Reply {
  const parsed = schema.parse(JSON.parse(head));
  const { id, timings: measured } = parsed;
  if (parsed.kind === 'failure')
    return { id, outcome: { kind: 'failure', code: parsed.code }, timings: measured };
  const { status, headers } = parsed;
  return { id, outcome: { kind: 'response', response: { status, headers, body } }, timings: measured };
}
