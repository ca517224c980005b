import { GetObjectCommand, NoSuchKey, S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import { LRUCache } from 'lru-cache';
import type { Config } from '../shared/config.ts';
import { LC500Error } from '../shared/errors.ts';

/** A script as it lay in the storage at one moment. */
export interface Script {
  readonly source: Buffer;
  /** The storage's name for this version. */
  readonly etag: string;
}

/** What is known of a key. A missing script is remembered too, or every stray request would ask the storage. */
interface Entry {
  readonly script: Script | null;
  /** `performance.now()` of the last time that the storage said so. */
  checkedAt: number;
}

/** What an entry without a script weighs in the cache, bytes. */
const SMALL = 200;

/**
 * The tenants' scripts, kept in memory and revalidated by ETag (RFC 9110 section 13.1.2): within
 * `SCRIPT_REVALIDATE_MS` the storage is not asked, after it a conditional request decides. One request at a time
 * per key, however many wait.
 */
export class ScriptStore {
  readonly #s3: S3Client;
  readonly #config: Config;
  readonly #entries: LRUCache<string, Entry>;
  readonly #pending = new Map<string, Promise<Script>>();

  constructor(s3: S3Client, config: Config) {
    this.#s3 = s3;
    this.#config = config;
    this.#entries = new LRUCache({
      maxSize: config.SCRIPT_CACHE_MB * 1_048_576,
      sizeCalculation: ({ script }) => (script?.source.length ?? 0) + SMALL,
    });
  }

  /** @throws LC500Error `script_not_found` or `storage_unavailable` */
  get(key: string): Script | Promise<Script> {
    const entry = this.#entries.get(key);
    if (entry && performance.now() - entry.checkedAt < this.#config.SCRIPT_REVALIDATE_MS)
      return found(entry, key);
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = this.#fetch(key, entry).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }

  async #fetch(key: string, known: Entry | undefined): Promise<Script> {
    // Before the request: an object written while it is under way must not count as checked.
    const checkedAt = performance.now();
    const script = await this.#ask(key, known);
    const entry = { script, checkedAt };
    this.#entries.set(key, entry);
    return found(entry, key);
  }

  async #ask(key: string, known: Entry | undefined): Promise<Script | null> {
    const { AWS_BUCKET, UPSTREAM_TIMEOUT_MS } = this.#config;
    try {
      const object = await this.#s3.send(
        new GetObjectCommand({ Bucket: AWS_BUCKET, Key: key, IfNoneMatch: known?.script?.etag }),
        { abortSignal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS) },
      );
      const source = Buffer.from((await object.Body?.transformToByteArray()) ?? []);
      return { source, etag: object.ETag ?? '' };
    } catch (error) {
      if (known && error instanceof S3ServiceException && error.$metadata.httpStatusCode === 304)
        return known.script;
      if (error instanceof NoSuchKey) return null;
      throw new LC500Error('storage_unavailable', `the script ${key} cannot be had: ${String(error)}`, {
        cause: error,
      });
    }
  }
}

function found({ script }: Entry, key: string): Script {
  if (script) return script;
  throw new LC500Error('script_not_found', `there is no object ${key}`);
}
