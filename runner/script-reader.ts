import type { S3Client } from '@aws-sdk/client-s3';
import type { Config } from '../shared/config.ts';
import { LC500Error } from '../shared/errors.ts';
import { ObjectUnread, readObject, type ObjectFound } from './object-read.ts';
import { withRetries } from './retry.ts';
import type { CachedScript, Lack, Script, ScriptCache } from './script-cache.ts';
import { SingleFlight } from './single-flight.ts';
import { StorageHealth } from './storage-health.ts';

export interface ScriptReaderOptions {
  readonly s3: S3Client;
  readonly config: Pick<Config, 'AWS_BUCKET' | 'UPSTREAM_TIMEOUT_MS' | 'SCRIPT_MEMORY_MB'>;
  /** What is found out goes there. */
  readonly cache: ScriptCache;
  readonly onHealth: (isAway: boolean) => void;
}

/** Reads scripts from the storage, one read at a time per key, and keeps what they find in the cache. */
export class ScriptReader {
  readonly health: StorageHealth;
  readonly #options: ScriptReaderOptions;
  readonly #reads = new SingleFlight<Script>();

  constructor(options: ScriptReaderOptions) {
    this.#options = options;
    this.health = new StorageHealth(options.onHealth);
  }

  isReading(key: string): boolean {
    return this.#reads.has(key);
  }

  /**
   * @param known the version that need not be sent again
   * @param signal this caller's own end; the read goes on for others, but is not tried again for nobody
   * @throws LC500Error `script_not_found` or `memory_limit`, ObjectUnread, or the signal's reason
   */
  read(key: string, known: CachedScript | undefined, signal: AbortSignal): Promise<Script> {
    return this.#reads.join(key, (isWanted) => this.#read(key, known, isWanted), signal);
  }

  /** Reads without anybody waiting for it. */
  readAhead(key: string, known: CachedScript | undefined): void {
    this.#reads.start(key, (isWanted) => this.#read(key, known, isWanted));
  }

  async #read(key: string, known: CachedScript | undefined, isWanted: () => boolean): Promise<Script> {
    const begun = performance.now();
    const isWorthIt = (error: Error): boolean =>
      error instanceof ObjectUnread && error.isPassing && isWanted() && this.health.mayTryAgain;
    try {
      return await this.health.count(() => withRetries(() => this.#try(key, known), isWorthIt));
    } catch (error) {
      // One such answer is nothing special, so it is the last try that counts.
      if (error instanceof ObjectUnread && error.failure === 'unavailable') this.health.silentSince(begun);
      throw error;
    }
  }

  async #try(key: string, known: CachedScript | undefined): Promise<Script> {
    // Before the request: an object written while it is under way must not count as checked.
    const askedAt = performance.now();
    try {
      const found = await this.#ask(key, known);
      this.health.answered();
      return this.#keep(key, known, found, askedAt);
    } catch (error) {
      if (error instanceof ObjectUnread) this.#learn(error, askedAt);
      if (error instanceof ObjectUnread && error.failure === 'too large')
        throw this.#lacking(key, 'too large', askedAt);
      throw error;
    }
  }

  #ask(key: string, known: CachedScript | undefined): Promise<ObjectFound> {
    const { s3, config } = this.#options;
    return readObject(s3, {
      bucket: config.AWS_BUCKET,
      key,
      etag: known?.script.etag || undefined,
      // A larger one cannot be compiled either.
      maxBytes: config.SCRIPT_MEMORY_MB * 1_048_576,
      timeoutMs: config.UPSTREAM_TIMEOUT_MS,
    });
  }

  #keep(key: string, known: CachedScript | undefined, found: ObjectFound, askedAt: number): Script {
    const script = found.kind === 'object' ? { source: found.body, etag: found.etag } : known?.script;
    if (script && found.kind !== 'missing') {
      this.#options.cache.put(key, script, askedAt);
      return script;
    }
    throw this.#lacking(key, 'missing', askedAt);
  }

  #lacking(key: string, lack: Lack, askedAt: number): LC500Error {
    this.#options.cache.putLack(key, lack, askedAt);
    return lackingScript(key, lack);
  }

  #learn({ failure }: ObjectUnread, askedAt: number): void {
    if (failure === 'timeout') this.health.silentSince(askedAt);
    else if (failure !== 'unavailable') this.health.answered();
  }
}

export function lackingScript(key: string, lack: Lack): LC500Error {
  return lack === 'missing'
    ? new LC500Error('script_not_found', `there is no object ${key}`)
    : new LC500Error('memory_limit', `the script ${key} is larger than the memory that it may use`);
}
