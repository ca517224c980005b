import type { S3Client } from '@aws-sdk/client-s3';
import type { Config } from '../shared/config.ts';
import { LC500Error } from '../shared/errors.ts';
import type { Logger } from '../shared/log.ts';
import { ObjectUnread } from './object-read.ts';
import { ScriptCache, type CachedScript, type Script } from './script-cache.ts';
import { ScriptListing } from './script-listing.ts';
import { lackingScript, ScriptReader } from './script-reader.ts';

/** A script to be run. */
export interface ServedScript extends Script {
  /** Milliseconds since the storage last confirmed it; only where it was served though the storage could not be asked. */
  readonly staleMs?: number;
}

/**
 * The tenants' scripts, kept in memory and revalidated by ETag (RFC 9110 section 13.1.2).
 *
 *     fresh                           → served without asking; many at a time are kept so by a listing, and few by
 *                                       a read ahead that nobody waits for
 *     not fresh, or not known         → one read per key, however many wait for it
 *     that read fails, or takes long  → the known script, while it is younger than `SCRIPT_STALE_MS`
 *     the storage is known to be away → the known script at once, and a read that nobody waits for
 *
 * Nothing is served in the stead of an answer: a script that the storage says is not there is gone, and one that
 * it refuses to give is not run.
 */
export class ScriptStore {
  /** Since the start. */
  readonly counts = { stale: 0 };
  readonly #cache: ScriptCache;
  readonly #reader: ScriptReader;
  readonly #listing: ScriptListing;
  readonly #patienceMs: number;

  constructor(s3: S3Client, config: Config, log: Logger) {
    this.#cache = new ScriptCache(config);
    const onHealth = (isAway: boolean): void => {
      if (isAway) log.error('the script storage is away; known scripts are served stale');
      else log.info({ ...this.counts }, 'the script storage is back');
    };
    this.#reader = new ScriptReader({ s3, config, cache: this.#cache, onHealth });
    this.#listing = new ScriptListing({ s3, config, cache: this.#cache, log });
    // Whoever waits for the storage and has a script all the same needs time to run it.
    this.#patienceMs = Math.min(config.UPSTREAM_TIMEOUT_MS, config.REQUEST_DEADLINE_MS / 2);
  }

  /**
   * @param signal this invocation's end; what others wait for goes on
   * @throws LC500Error `script_not_found`, `storage_unavailable` or `memory_limit`, or the signal's reason
   */
  get(key: string, signal: AbortSignal): ServedScript | Promise<ServedScript> {
    const known = this.#cache.get(key);
    const isFresh = known !== undefined && this.#cache.isFresh(known);
    if (known) this.#listing.note(key, isFresh);
    if (isFresh) {
      this.#keepFresh(key, known);
      return known.script;
    }
    const lack = this.#cache.lackOf(key);
    if (lack) throw lackingScript(key, lack);
    return this.#revalidate(key, known, signal);
  }

  close(): void {
    this.#listing.close();
  }

  #keepFresh(key: string, known: CachedScript): void {
    if (!this.#cache.isAgeing(known) || this.#listing.isComing || this.#reader.health.isAway) return;
    this.#reader.readAhead(key, known);
  }

  async #revalidate(
    key: string,
    known: CachedScript | undefined,
    signal: AbortSignal,
  ): Promise<ServedScript> {
    const atOnce = this.#reader.health.isAway && this.#whileAway(key, known);
    if (atOnce) return atOnce;
    const begun = performance.now();
    const patience = this.#patience(known, signal);
    try {
      return await this.#reader.read(key, known, patience);
    } catch (error) {
      signal.throwIfAborted();
      const isOutOfPatience = error === patience.reason;
      if (isOutOfPatience) this.#reader.health.silentSince(begun);
      const isPassing = isOutOfPatience || (error instanceof ObjectUnread && error.isPassing);
      const stale = isPassing ? this.#stale(known) : undefined;
      if (stale) return stale;
      throw toLC500Error(error);
    }
  }

  /**
   * The storage is known to be away: few reads are tried, for those who have nothing else, or when the last try
   * was some time ago.
   */
  #whileAway(key: string, known: CachedScript | undefined): ServedScript | undefined {
    const { health } = this.#reader;
    const isReading = this.#reader.isReading(key);
    const mayRead = isReading || health.mayRead;
    const isTimeToWait = mayRead && !isReading && !health.hasJustFailed;
    const stale = isTimeToWait ? undefined : this.#stale(known);
    if (stale && mayRead) this.#reader.readAhead(key, known);
    if (!stale && !mayRead)
      throw new LC500Error('storage_unavailable', `${key} was not asked for: the storage is away`);
    return stale;
  }

  #patience(known: CachedScript | undefined, signal: AbortSignal): AbortSignal {
    if (!known || this.#cache.staleFor(known) === undefined) return signal;
    return AbortSignal.any([signal, AbortSignal.timeout(this.#patienceMs)]);
  }

  #stale(known: CachedScript | undefined): ServedScript | undefined {
    if (!known) return undefined;
    const staleMs = this.#cache.staleFor(known);
    if (staleMs === undefined) return undefined;
    this.counts.stale++;
    return { ...known.script, staleMs };
  }
}

function toLC500Error(error: unknown): unknown {
  if (!(error instanceof ObjectUnread)) return error;
  return new LC500Error('storage_unavailable', `the script cannot be had: ${error.message}`, {
    cause: error,
  });
}
