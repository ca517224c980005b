import type { Redis } from 'ioredis';
import type { Config } from '../config.ts';
import { indexesOf, namesOf, type RecordFilter } from './record-indexes.ts';
import { keysOf } from './record-keys.ts';
import { ADD, BEGIN_REPLAY, EXPIRE, LIST, REMOVE } from './record-scripts.ts';
import { partKeyOf, type RecordBucket } from './record-bucket.ts';
import {
  decodeRecord,
  encodeRecord,
  type InvocationRecord,
  type Part,
  type PartName,
  type RecordKind,
} from './record.ts';

/** A place in a list: after this record. */
export interface Place {
  readonly time: string;
  readonly id: string;
}

export interface Page {
  readonly ids: readonly string[];
  /** `undefined`: this was the last page. */
  readonly next: Place | undefined;
}

/** Entries that Redis looks at in one go, about 1 ms for each thousand. */
const LOOK_AT = 2000;
/** Records that are taken out of Redis in one go when they are too old. */
const EXPIRE_AT_ONCE = 200;
const HOUR_MS = 3_600_000;
const MEBIBYTE = 1_048_576;
/** What a record takes in Redis beside its fields, indexes included, bytes. */
const OVERHEAD_BYTES = 1500;

/**
 * The kept invocations, in Redis; large parts in the bucket, where there is one. Retention is part of adding, and
 * what is too old is never given out; `expire` takes it out where nothing is added.
 */
export class RecordStore {
  readonly #redis: Redis;
  readonly #bucket: RecordBucket | undefined;
  readonly #config: Config;
  readonly #keys: ReturnType<typeof keysOf>;

  /** @param bucket without one every part is kept in Redis, and none that is in the bucket can be had */
  constructor(redis: Redis, bucket: RecordBucket | undefined, config: Config) {
    this.#redis = redis;
    this.#bucket = bucket;
    this.#config = config;
    this.#keys = keysOf(config.QUEUE_PREFIX);
  }

  /** @returns false when there is a record of this invocation already: the first one stays */
  async add(record: InvocationRecord, parts: ReadonlyMap<PartName, Buffer>): Promise<boolean> {
    const { id, replay, kind } = record;
    const fields = [
      'json',
      encodeRecord(record),
      ...[...parts].flatMap(([name, bytes]) => [`part:${name}`, bytes]),
    ];
    const added = await this.#eval(
      ADD,
      [replay ? this.#keys.pending(replay.of) : '-', replay?.run ? this.#keys.run(replay.run) : '-'],
      [
        id,
        record.acceptedAt,
        indexesOf(record).join(' '),
        this.#oldest(),
        `kind=${kind}`,
        mostOf(kind, this.#config),
        this.#config.FAILED_RETENTION_MB * MEBIBYTE,
        record.code ?? 'answered',
        Math.ceil(2 * this.#config.FAILED_RETENTION_HOURS * HOUR_MS),
        weightOf(fields),
        ...fields,
      ],
    );
    return added === 1;
  }

  async get(id: string): Promise<InvocationRecord | undefined> {
    const text = await this.#redis.hget(this.#keys.one(id), 'json');
    const record = text === null ? undefined : decodeRecord(text);
    return record && record.acceptedAt >= this.#oldest() ? record : undefined;
  }

  /** In the order of the ids; those that are gone are missing. */
  async getMany(ids: readonly string[]): Promise<InvocationRecord[]> {
    if (ids.length === 0) return [];
    const batch = this.#redis.pipeline();
    for (const id of ids) batch.hget(this.#keys.one(id), 'json');
    const answers = (await batch.exec()) ?? [];
    return answers.flatMap(([error, text]) => {
      if (error) throw error;
      return typeof text === 'string' ? [decodeRecord(text)] : [];
    });
  }

  /** @returns `undefined` when it is gone, or was never kept */
  async part(id: string, name: PartName, { bytes, at }: Part): Promise<Buffer | undefined> {
    if (bytes === 0) return Buffer.alloc(0);
    if (at === 'bucket') return this.#bucket?.get(partKeyOf(id, name));
    return (await this.#redis.hgetBuffer(this.#keys.one(id), `part:${name}`)) ?? undefined;
  }

  /** Newest first. A page may be shorter than asked for although it is not the last. */
  async list(filter: RecordFilter, most: number, after?: Place): Promise<Page> {
    const names = namesOf(filter);
    const indexes = names.length === 0 ? [''] : names;
    const earliest = Math.max(filter.since ?? 0, this.#oldest());
    const latest = after?.time ?? (filter.until === undefined ? '+inf' : `(${filter.until}`);
    const keys = indexes.map((name) => this.#keys.index(name));
    const [time = '', id = '', ...ids] = (await this.#eval(LIST, keys, [
      latest,
      earliest,
      after?.id ?? '',
      most,
      LOOK_AT,
    ])) as string[];
    return { ids, next: time === '' ? undefined : { time, id } };
  }

  /** Also its parts in the bucket, as far as the bucket answers. @returns whether there was one */
  async remove(id: string): Promise<boolean> {
    const record = await this.get(id);
    const isGone = (await this.#eval(REMOVE, [], [id])) === 1;
    const parts = {
      request: record?.request.body,
      blueprint: record?.blueprint?.body,
      answer: record?.answer?.body,
    };
    for (const [name, part] of Object.entries({ ...parts, log: record?.log }))
      if (part?.at === 'bucket') await this.#bucket?.remove(partKeyOf(id, name as PartName));
    return isGone;
  }

  /** Takes out what is too old. */
  async expire(): Promise<void> {
    let count: unknown;
    do count = await this.#eval(EXPIRE, [], [this.#oldest(), EXPIRE_AT_ONCE]);
    while (count === EXPIRE_AT_ONCE);
  }

  /** Whether any record needs this version of a tenant's script. */
  async needsVersion(sha256: string): Promise<boolean> {
    return (await this.#redis.exists(this.#keys.index(`script=${sha256}`))) === 1;
  }

  async has(id: string): Promise<boolean> {
    return (await this.#redis.exists(this.#keys.one(id))) === 1;
  }

  /**
   * Enters a replay among those of its record that are under way.
   *
   * @param endsBy milliseconds; after it the replay counts as ended, whatever became of it
   * @param again though another one is under way
   * @returns false when it may not begin
   */
  async beginReplay(of: string, id: string, endsBy: number, again: boolean): Promise<boolean> {
    const args = [id, Date.now(), Math.ceil(endsBy), again ? '1' : '0'];
    return (await this.#redis.call('EVAL', BEGIN_REPLAY, 1, this.#keys.pending(of), ...args)) === 1;
  }

  /** The replay never came to run. */
  async forgetReplay(of: string, id: string): Promise<void> {
    await this.#redis.zrem(this.#keys.pending(of), id);
  }

  #oldest(): number {
    return Date.now() - this.#config.FAILED_RETENTION_HOURS * HOUR_MS;
  }

  #eval(
    script: string,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    const first = script === LIST ? [] : [this.#keys.base];
    return this.#redis.call('EVAL', script, keys.length, ...keys, ...first, ...args);
  }
}

/** Bytes that a record takes in Redis, about. */
function weightOf(fields: readonly (string | Buffer)[]): number {
  return fields.reduce((sum, field) => sum + Buffer.byteLength(field), OVERHEAD_BYTES);
}

function mostOf(kind: RecordKind, { FAILED_RETENTION_COUNT, KEEP_COMPLETED }: Config): number {
  return kind === 'asked' && KEEP_COMPLETED.kind === 'newest' ? KEEP_COMPLETED.count : FAILED_RETENTION_COUNT;
}
