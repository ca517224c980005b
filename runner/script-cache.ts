import { LRUCache } from 'lru-cache';
import type { Config } from '../shared/config.ts';
import { WORTH_IT_BYTES } from './code-cache.ts';

/** A script as it lay in the storage at one moment. */
export interface Script {
  readonly source: Buffer;
  /** The storage's name for this version. */
  readonly etag: string;
}

/** What is known of a key that has a script. */
export interface CachedScript {
  readonly script: Script;
  /** `performance.now()` at the start of the last question that the storage answered with this version. */
  readonly checkedAt: number;
}

/** What an entry weighs beside its script, bytes. */
const ENTRY_BYTES = 200;
/** From this part of its time on a script that is in use is asked for again, before anybody has to wait for that. */
const AGEING = 0.75;
/** A script that would take more of the cache is not kept: it would push out everybody else's. */
const LARGEST_PART = 1 / 4;
/** Keys without a script that are remembered: apart from the scripts, so that stray requests push none out. */
const MAX_LACKING = 10_000;

/** Why a key has no script: there is no object, or one that is larger than a script may be. */
export type Lack = 'missing' | 'too large';

/** What the runner knows of scripts, and how old that knowledge is; when to ask is for others to say. */
export class ScriptCache {
  readonly #freshMs: number;
  readonly #staleMs: number;
  readonly #scripts: LRUCache<string, CachedScript>;
  readonly #lacking = new LRUCache<string, { readonly lack: Lack; readonly checkedAt: number }>({
    max: MAX_LACKING,
  });

  constructor(config: Pick<Config, 'SCRIPT_CACHE_MB' | 'SCRIPT_REVALIDATE_MS' | 'SCRIPT_STALE_MS'>) {
    this.#freshMs = config.SCRIPT_REVALIDATE_MS;
    this.#staleMs = config.SCRIPT_STALE_MS;
    const maxSize = config.SCRIPT_CACHE_MB * 1_048_576;
    this.#scripts = new LRUCache({
      maxSize,
      maxEntrySize: maxSize * LARGEST_PART,
      sizeCalculation: ({ script }) => weightOf(script.source.length) + ENTRY_BYTES,
    });
  }

  get(key: string): CachedScript | undefined {
    return this.#scripts.get(key);
  }

  /** Whether a script may be run without asking the storage. */
  isFresh({ checkedAt }: CachedScript): boolean {
    return performance.now() - checkedAt < this.#freshMs;
  }

  /** Whether a script that is fresh will not be so for much longer. */
  isAgeing({ checkedAt }: CachedScript): boolean {
    return performance.now() - checkedAt >= AGEING * this.#freshMs;
  }

  /** Milliseconds for which the storage has not confirmed it; `undefined`: too many for it to be run. */
  staleFor({ checkedAt }: CachedScript): number | undefined {
    const age = performance.now() - checkedAt;
    return age < this.#staleMs ? age : undefined;
  }

  /** Why there is no script, as the storage said so little ago that it need not be asked. */
  lackOf(key: string): Lack | undefined {
    const known = this.#lacking.get(key);
    return known && performance.now() - known.checkedAt < this.#freshMs ? known.lack : undefined;
  }

  /** @param checkedAt `performance.now()` before the storage was asked: what changed since is not in its answer */
  put(key: string, script: Script, checkedAt: number): void {
    this.#lacking.delete(key);
    this.#scripts.set(key, { script, checkedAt });
  }

  /** The storage says that a key's version is this one: as good as having been asked for it. */
  confirm(key: string, etag: string, checkedAt: number): void {
    const known = this.#scripts.peek(key);
    if (known?.script.etag !== etag || known.checkedAt > checkedAt) return;
    this.#scripts.set(key, { script: known.script, checkedAt });
  }

  putLack(key: string, lack: Lack, checkedAt: number): void {
    this.#scripts.delete(key);
    this.#lacking.set(key, { lack, checkedAt });
  }
}

/** What V8 makes of a script is as large as the script itself (runner/code-cache.ts). */
function weightOf(bytes: number): number {
  return bytes < WORTH_IT_BYTES ? bytes : 2 * bytes;
}
