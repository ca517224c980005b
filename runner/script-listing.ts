import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/log.ts';
import type { ScriptCache } from './script-cache.ts';

/** One page of a listing says as much as a thousand questions and costs as much as this many. */
const WORTH_A_PAGE = 32;
/** After a listing that failed or was too long there is none for this long. */
const PAUSE_MS = 60_000;
/** What lc500 itself keeps in the bucket (`.versions/`, `.records/`) comes before this, and all hostnames after it. */
const BEFORE_HOSTNAMES = '/';
/** Below this scripts would be stale again before a listing is through. */
const LEAST_FRESH_MS = 200;

export interface ScriptListingOptions {
  readonly s3: S3Client;
  readonly config: Pick<Config, 'AWS_BUCKET' | 'SCRIPT_REVALIDATE_MS' | 'UPSTREAM_TIMEOUT_MS'>;
  readonly cache: ScriptCache;
  readonly log: Logger;
}

/**
 * Revalidates many scripts at once: a runner that serves hundreds of tenants would otherwise ask for each of them
 * once in `SCRIPT_REVALIDATE_MS`. While enough scripts are in use, the bucket is listed (ListObjectsV2 gives the
 * ETags of a thousand objects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html) often
 * enough that none of them has to be asked for. What the listing does not confirm is asked for as ever.
 *
 * A bucket with too many objects for the scripts in use, or one that may not be listed, is left alone for a minute.
 */
export class ScriptListing {
  readonly #options: ScriptListingOptions;
  #used = new Set<string>();
  /** Scripts that were too old when they were wanted, since the last look. */
  #old = 0;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #pausedUntil = 0;
  /** Of the last listing, milliseconds: the next one has to begin so much sooner. */
  #took = 0;
  #closed = false;

  constructor(options: ScriptListingOptions) {
    this.#options = options;
  }

  /** A known script is wanted. Where many were left to grow old, the bucket is listed at once. */
  note(key: string, isFresh: boolean): void {
    if (this.#options.config.SCRIPT_REVALIDATE_MS < LEAST_FRESH_MS) return;
    this.#used.add(key);
    if (!isFresh) this.#old++;
    if (this.#old >= WORTH_A_PAGE && this.#timer) this.#lookNow();
    else this.#schedule();
  }

  /** Whether scripts in use are about to be confirmed all at once. */
  get isComing(): boolean {
    return this.#isLooking || (this.#used.size >= WORTH_A_PAGE && performance.now() > this.#pausedUntil);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#timer || this.#isLooking || this.#closed) return;
    const wait = this.#options.config.SCRIPT_REVALIDATE_MS * 0.8 - 2 * this.#took;
    this.#timer = setTimeout(() => this.#lookNow(), Math.max(wait, LEAST_FRESH_MS / 2));
    this.#timer.unref();
  }

  #lookNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isLooking = true;
    void this.#look();
  }

  async #look(): Promise<void> {
    const worth = Math.floor(this.#used.size / WORTH_A_PAGE);
    this.#used = new Set();
    this.#old = 0;
    if (worth > 0 && performance.now() > this.#pausedUntil) await this.#list(worth);
    this.#old = 0;
    this.#isLooking = false;
    if (this.#used.size > 0) this.#schedule();
  }

  /** @param most pages that cost less than asking for each script in use */
  async #list(most: number): Promise<void> {
    const begun = performance.now();
    try {
      let after: string | undefined = BEFORE_HOSTNAMES;
      for (let page = 0; page < most; page++) {
        after = await this.#page(after);
        this.#took = performance.now() - begun;
        if (after === undefined) return;
      }
      this.#pause('too long for the scripts in use');
    } catch (error) {
      this.#pause(String(error));
    }
  }

  /** @returns where the next page begins; `undefined` after the last */
  async #page(after: string | undefined): Promise<string | undefined> {
    const { s3, config, cache } = this.#options;
    // Before the request: an object written while it is under way must not count as checked.
    const askedAt = performance.now();
    const { Contents: objects = [], IsTruncated: isTruncated } = await s3.send(
      new ListObjectsV2Command({ Bucket: config.AWS_BUCKET, StartAfter: after }),
      { abortSignal: AbortSignal.timeout(config.UPSTREAM_TIMEOUT_MS) },
    );
    for (const { Key: key, ETag: etag } of objects) if (key && etag) cache.confirm(key, etag, askedAt);
    return isTruncated ? objects.at(-1)?.Key : undefined;
  }

  #pause(reason: string): void {
    this.#pausedUntil = performance.now() + PAUSE_MS;
    this.#options.log.info({ reason }, 'scripts are revalidated one by one: the bucket is not listed');
  }
}
