import { z } from 'zod';
import { comparisonSchema } from './comparison.ts';

/** Something that a record keeps whole beside itself. */
export type PartName = 'request' | 'blueprint' | 'answer' | 'log';

/** Bytes of a record, and where they are. */
const partSchema = z.object({
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  at: z.enum(['redis', 'bucket']),
});

const headersSchema = z.array(z.tuple([z.string(), z.string()]));

/** Why a record is kept: retention counts each kind by itself. */
export type RecordKind = 'failed' | 'replay' | 'asked';

export const replaySchema = z.object({
  /** The invocation that is replayed. */
  of: z.string().min(1),
  script: z.enum(['original', 'current', 'source']),
  blueprint: z.enum(['original', 'fresh']),
  /** Only there when an asynchronous request is replayed: its script has that much time. */
  isAsync: z.literal(true).exactOptional(),
  /** The replay of many that it belongs to. */
  run: z.string().min(1).exactOptional(),
});

/** What is run again, and with what. */
export type Replay = Readonly<z.output<typeof replaySchema>>;

const schema = z.object({
  v: z.literal(1),
  id: z.string().min(1),
  tenant: z.string().min(1),
  /** Only there when it came later than its request's `202`. */
  isAsync: z.literal(true).exactOptional(),
  kind: z.enum(['failed', 'replay', 'asked']),
  /** An error code; `null`: answered. Any text, so that codes of other versions can be read. */
  code: z.string().nullable(),
  /** What the client got, or would have got. */
  status: z.int(),
  /** Milliseconds since the epoch. */
  acceptedAt: z.number(),
  finishedAt: z.number(),
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: headersSchema,
    body: partSchema,
    /** Names of the headers that are left out, lower case. */
    redacted: z.array(z.string()),
    /** They and their places, encrypted: sealed-headers.ts. */
    sealed: z.string().exactOptional(),
  }),
  script: z.object({
    key: z.string(),
    /** Of the version that ran; `null`: none was had. */
    sha256: z.string().nullable(),
    bytes: z.int().nullable(),
    /** Whether the version is in the bucket. */
    kept: z.boolean(),
  }),
  blueprintKey: z.string().nullable(),
  /** As it was; `null`: there was none, or it was not had. */
  blueprint: z.object({ status: z.int(), headers: headersSchema, body: partSchema }).nullable(),
  limits: z.object({
    scriptTimeoutMs: z.int(),
    scriptMemoryMb: z.int(),
    sandboxMemoryMb: z.int(),
    deadlineMs: z.int(),
    maxResponseBytes: z.int(),
  }),
  /** The runner's; `null`: no runner took it. */
  timings: z
    .object({
      prepare: z.number(),
      isolate: z.number(),
      script: z.number(),
      total: z.number(),
      staleScript: z.number().exactOptional(),
    })
    .nullable(),
  attempts: z.int(),
  /** For the operator's eyes; name and stack are those of the script's own error. */
  error: z
    .object({ message: z.string(), name: z.string().nullable(), stack: z.string().nullable() })
    .nullable(),
  answer: z.object({ status: z.int(), headers: headersSchema, body: partSchema }).nullable(),
  log: partSchema,
  replay: replaySchema.extend({ comparison: comparisonSchema.nullable() }).exactOptional(),
});

/** A kept invocation, without its parts. */
export type InvocationRecord = Readonly<z.output<typeof schema>>;
export type Part = Readonly<z.output<typeof partSchema>>;

export function encodeRecord(record: InvocationRecord): string {
  return JSON.stringify(record);
}

/** @throws SyntaxError or ZodError when it is not a record of a version that is known */
export function decodeRecord(text: string): InvocationRecord {
  return schema.parse(JSON.parse(text));
}

export function stateOf({ code }: Pick<InvocationRecord, 'code'>): 'failed' | 'answered' {
  return code === null ? 'answered' : 'failed';
}

const logSchema = z.array(z.object({ level: z.string(), text: z.string() }));

/** The script's console, a part of its record. */
export type LogLines = readonly { readonly level: string; readonly text: string }[];

export function encodeLog(lines: LogLines): Buffer {
  return Buffer.from(JSON.stringify(lines));
}

export function decodeLog(bytes: Buffer): LogLines {
  return logSchema.parse(JSON.parse(bytes.toString()));
}
