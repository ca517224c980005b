import type { Config } from '../config.ts';
import { errorKind } from '../errors.ts';
import type { HeaderPair } from '../headers.ts';
import type { Invocation } from '../invocation.ts';
import type { Outcome, RunTimings } from '../reply.ts';
import { partKeyOf, sha256Of, type RecordBucket } from './record-bucket.ts';
import {
  encodeLog,
  type InvocationRecord,
  type LogLines,
  type Part,
  type PartName,
  type RecordKind,
} from './record.ts';
import { redactHeaders } from './sealed-headers.ts';

/** Larger parts lie in the bucket, bytes. */
const LARGE_BYTES = 65_536;
/** Code units of a console log that are kept; a sandbox in a stranger's hands may send more than scripts can write. */
const LOG_LIMIT = 65_536;

/** A finished invocation: what it was, what it ran with, and what became of it. */
export interface Finished {
  readonly invocation: Invocation;
  readonly kind: RecordKind;
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly attempts: number;
  readonly outcome: Outcome;
  /** Why it failed, for the operator. */
  readonly message?: string | undefined;
  readonly scriptError?:
    | { readonly name: string; readonly message: string; readonly stack: string }
    | undefined;
  readonly timings?: RunTimings | undefined;
  readonly script?: Buffer | undefined;
  readonly blueprint?:
    | { readonly status: number; readonly headers: readonly HeaderPair[]; readonly body: Buffer }
    | undefined;
  readonly log?: LogLines | undefined;
}

export interface Made {
  readonly record: InvocationRecord;
  /** The parts that are to be kept in Redis. */
  readonly parts: ReadonlyMap<PartName, Buffer>;
}

/**
 * A finished invocation as its record, with the script's version and large parts put into the bucket. What the
 * bucket does not take is kept in Redis, but for the script: then its record says that it was not kept.
 */
export async function makeRecord(
  finished: Finished,
  config: Config,
  bucket: RecordBucket | undefined,
): Promise<Made> {
  const { invocation, outcome, blueprint } = finished;
  const parts = new Map<PartName, Buffer>();
  const keep = (name: PartName, bytes: Buffer) => keepPart(invocation.id, name, bytes, parts, bucket);
  const response = outcome.kind === 'response' ? outcome.response : undefined;
  const [script, request, log, blueprintBody, answer] = await Promise.all([
    keepScript(finished, bucket),
    keep('request', invocation.request.body),
    keep('log', encodeLog(bounded(finished.log ?? []))),
    blueprint && keep('blueprint', blueprint.body),
    response && keep('answer', response.body),
  ]);
  const record: InvocationRecord = {
    ...headOf(finished, config),
    request: { ...requestOf(invocation, config), body: request },
    script,
    blueprint: blueprint && blueprintBody ? { ...withHeaders(blueprint), body: blueprintBody } : null,
    answer: response && answer ? { ...withHeaders(response), body: answer } : null,
    log,
  };
  return { record, parts };
}

function headOf(finished: Finished, config: Config) {
  const { invocation, kind, acceptedAt, attempts, outcome, timings, message, scriptError } = finished;
  return {
    v: 1,
    id: invocation.id,
    tenant: invocation.hostname,
    ...(isAsync(invocation) ? { isAsync: true as const } : {}),
    kind,
    code: outcome.kind === 'failure' ? outcome.code : null,
    status: outcome.kind === 'failure' ? errorKind(outcome.code).status : outcome.response.status,
    acceptedAt,
    finishedAt: Date.now(),
    blueprintKey: invocation.blueprintKey,
    limits: limitsOf(config, isAsync(invocation)),
    timings: timings ? (timings as NonNullable<InvocationRecord['timings']>) : null,
    attempts,
    error:
      outcome.kind === 'failure'
        ? {
            message: scriptError?.message ?? message ?? errorKind(outcome.code).title,
            name: scriptError?.name ?? null,
            stack: scriptError?.stack ?? null,
          }
        : null,
  } as const;
}

function isAsync({ async, replay }: Invocation): boolean {
  return async !== undefined || replay?.isAsync === true;
}

function limitsOf(config: Config, isLong: boolean): InvocationRecord['limits'] {
  return {
    scriptTimeoutMs: isLong ? config.ASYNC_TIMEOUT_MS : config.SCRIPT_TIMEOUT_MS,
    scriptMemoryMb: config.SCRIPT_MEMORY_MB,
    sandboxMemoryMb: config.SANDBOX_MEMORY_MB,
    deadlineMs: isLong ? config.ASYNC_DEADLINE_MS : config.REQUEST_DEADLINE_MS,
    maxResponseBytes: config.MAX_RESPONSE_BYTES,
  };
}

function requestOf({ id, request }: Invocation, { REDACT_HEADERS: names, RECORD_KEY: key }: Config) {
  const { headers, redacted, sealed } = redactHeaders(request.headers, { names, key, id });
  return {
    method: request.method,
    url: request.url,
    headers: headers as [string, string][],
    redacted: redacted as string[],
    ...(sealed === undefined ? {} : { sealed }),
  };
}

function withHeaders({ status, headers }: { status: number; headers: readonly HeaderPair[] }) {
  return { status, headers: headers as [string, string][] };
}

async function keepScript(
  { script, invocation }: Finished,
  bucket: RecordBucket | undefined,
): Promise<InvocationRecord['script']> {
  const { scriptKey: key, hostname } = invocation;
  if (!script) return { key, sha256: null, bytes: null, kept: false };
  const kept = await isDone(bucket?.keepVersion(hostname, script));
  return { key, sha256: sha256Of(script), bytes: script.length, kept };
}

async function keepPart(
  id: string,
  name: PartName,
  bytes: Buffer,
  parts: Map<PartName, Buffer>,
  bucket: RecordBucket | undefined,
): Promise<Part> {
  const part = { bytes: bytes.length, sha256: sha256Of(bytes) };
  const isLarge = bytes.length > LARGE_BYTES;
  if (isLarge && (await isDone(bucket?.put(partKeyOf(id, name), bytes)))) return { ...part, at: 'bucket' };
  if (bytes.length > 0) parts.set(name, bytes);
  return { ...part, at: 'redis' };
}

async function isDone(task: Promise<unknown> | undefined): Promise<boolean> {
  if (!task) return false;
  return task.then(
    () => true,
    () => false,
  );
}

function bounded(lines: LogLines): LogLines {
  const kept: { level: string; text: string }[] = [];
  let left = LOG_LIMIT;
  for (const { level, text } of lines) {
    if (left <= 0) break;
    kept.push({ level: level.slice(0, 16), text: text.slice(0, left) });
    left -= text.length + 1;
  }
  return kept;
}
