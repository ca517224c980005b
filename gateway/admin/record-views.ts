import { encodeBody } from '../../shared/body.ts';
import { stateOf, type InvocationRecord, type Part } from '../../shared/records/record.ts';

/** A record in a list: `Summary` of openapi.yaml. */
export function summaryOf(record: InvocationRecord) {
  const { id, tenant, code, status, request, script, replay } = record;
  return {
    id,
    tenant,
    state: stateOf(record),
    code,
    ...timesOf(record),
    method: request.method,
    url: request.url,
    status,
    script: script.sha256,
    ...(replay ? { replayOf: replay.of } : {}),
  };
}

/**
 * `Record` of openapi.yaml. Redacted headers are not in it, encrypted or not.
 *
 * @param blueprintBody `undefined`: it is gone
 * @param replays ids
 */
export function viewOf(
  record: InvocationRecord,
  blueprintBody: Buffer | undefined,
  replays: readonly string[],
) {
  const { id, tenant, code, status, request, script, limits, timings, attempts, error, answer, replay } =
    record;
  const { method, url, headers, redacted, sealed } = request;
  return {
    id,
    tenant,
    state: stateOf(record),
    code,
    status,
    ...timesOf(record),
    request: { method, url, headers, ...sizeOf(request.body), redacted, sealed: sealed !== undefined },
    script,
    blueprint: blueprintView(record, blueprintBody),
    limits,
    timings,
    attempts,
    error,
    answer: answer && { status: answer.status, headers: answer.headers, ...sizeOf(answer.body) },
    ...(replay ? { replayOf: replayView(replay) } : {}),
    replays,
  };
}

function blueprintView({ blueprint, blueprintKey: key }: InvocationRecord, body: Buffer | undefined) {
  if (!blueprint) return null;
  const { status, headers } = blueprint;
  return { key, status, headers, ...sizeOf(blueprint.body), body: body ? encodeBody(body) : null };
}

function replayView({ of: id, isAsync: _isAsync, ...replay }: NonNullable<InvocationRecord['replay']>) {
  return { id, ...replay };
}

function timesOf({ acceptedAt, finishedAt }: InvocationRecord) {
  return { acceptedAt: new Date(acceptedAt).toISOString(), finishedAt: new Date(finishedAt).toISOString() };
}

function sizeOf({ bytes, sha256 }: Part) {
  return { bodyBytes: bytes, bodySha256: sha256 };
}
