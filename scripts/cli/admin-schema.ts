import { z } from 'zod';

/**
 * What the admin interface says of kept invocations, as far as the command line reads it; all of it is described in
 * gateway/admin/openapi.yaml. Fields that are not named here pass, so that `--json` prints them.
 */
const headers = z.array(z.tuple([z.string(), z.string()]));
const body = z.object({ encoding: z.enum(['utf8', 'base64']), data: z.string() });
const size = { bodyBytes: z.number(), bodySha256: z.string() };

const summary = z.looseObject({
  id: z.string(),
  tenant: z.string(),
  state: z.string(),
  /** `null`: answered. */
  code: z.string().nullable(),
  acceptedAt: z.string(),
  method: z.string(),
  url: z.string(),
  /** What the client got. */
  status: z.number(),
  script: z.string().nullable(),
  replayOf: z.string().optional(),
});
export type Summary = z.output<typeof summary>;

const pair = <T extends z.ZodType>(of: T) => z.tuple([of, of]);

/** The original on the left, its replay on the right. */
const comparison = z.looseObject({
  same: z.boolean(),
  code: pair(z.string().nullable()),
  status: pair(z.number()),
  error: pair(z.string().nullable()),
  headers: z.array(
    z.looseObject({ name: z.string(), original: z.array(z.string()), replay: z.array(z.string()) }),
  ),
  body: z.looseObject({
    same: z.boolean(),
    bytes: pair(z.number().nullable()),
    firstDifference: z.number().nullable(),
    excerpts: pair(z.string()).optional(),
  }),
});
export type Comparison = z.output<typeof comparison>;

export const recordSchema = z.looseObject({
  id: z.string(),
  tenant: z.string(),
  state: z.string(),
  code: z.string().nullable(),
  status: z.number(),
  acceptedAt: z.string(),
  finishedAt: z.string(),
  request: z.looseObject({
    method: z.string(),
    url: z.string(),
    headers,
    ...size,
    /** Names of headers that are not among `headers`; `sealed`: a replay sends them all the same. */
    redacted: z.array(z.string()),
    sealed: z.boolean(),
  }),
  script: z.looseObject({
    key: z.string(),
    sha256: z.string().nullable(),
    bytes: z.number().nullable(),
    kept: z.boolean(),
  }),
  blueprint: z
    .looseObject({
      key: z.string().nullable(),
      status: z.number(),
      headers,
      ...size,
      body: body.nullable(),
    })
    .nullable(),
  limits: z.record(z.string(), z.number()),
  timings: z.record(z.string(), z.number()).nullable(),
  attempts: z.number(),
  error: z
    .looseObject({ message: z.string(), name: z.string().nullable(), stack: z.string().nullable() })
    .nullable(),
  answer: z.looseObject({ status: z.number(), headers, ...size }).nullable(),
  replayOf: z
    .looseObject({
      id: z.string(),
      script: z.string(),
      blueprint: z.string(),
      comparison: comparison.nullable(),
    })
    .optional(),
  replays: z.array(z.string()),
});
export type InvocationRecord = z.output<typeof recordSchema>;

export const pageSchema = z.object({ invocations: z.array(summary), next: z.string().optional() });
export const logSchema = z.array(z.object({ level: z.string(), text: z.string() }));
export const startedSchema = z.object({ id: z.string() });

export const dryRunSchema = z.looseObject({
  /** How many match, and how many of them would be skipped, by reason. */
  count: z.number(),
  skipped: z.record(z.string(), z.number()),
});
export type DryRun = z.output<typeof dryRunSchema>;

export const replayRunSchema = z.looseObject({
  id: z.string(),
  state: z.enum(['running', 'done', 'stopped']),
  total: z.number(),
  /** Replays that have ended: `succeeded` + `failed`. */
  done: z.number(),
  succeeded: z.number(),
  failed: z.number(),
  skipped: z.number(),
  outcomes: z.record(z.string(), z.number()),
});
export type ReplayRun = z.output<typeof replayRunSchema>;
