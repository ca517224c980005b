import { stateOf, type InvocationRecord, type RecordKind } from './record.ts';

/** What records are looked for by. Times in milliseconds: `since` itself is within, `until` is not. */
export interface RecordFilter {
  readonly tenant?: string | undefined;
  readonly state?: 'failed' | 'answered' | undefined;
  readonly code?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** SHA-256 of a script version. */
  readonly script?: string | undefined;
  /** Outcomes of a replay of many. */
  readonly run?: string | undefined;
  /** Replays of one record. */
  readonly replayOf?: string | undefined;
  readonly kind?: RecordKind | undefined;
}

/** Names of all indexes that a record is in. */
export function indexesOf(record: InvocationRecord): string[] {
  const { tenant, code, kind, replay, script } = record;
  const names = namesOf({
    tenant,
    state: stateOf(record),
    kind,
    code: code ?? undefined,
    script: script.sha256 ?? undefined,
    replayOf: replay?.of,
    run: replay?.run,
  });
  // Whose oldest go first when there are too many of a kind.
  return [...names, `kind=${kind},tenant=${tenant}`];
}

/** Names of the indexes in all of which a record is that is looked for. */
export function namesOf({ since: _since, until: _until, ...filter }: RecordFilter): string[] {
  return Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}
