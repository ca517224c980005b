import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config.ts';
import type { PartName } from './record.ts';

/** Hostnames begin with neither, so no tenant's objects lie there. */
export const VERSIONS_PREFIX = '.versions/';
export const PARTS_PREFIX = '.records/';

/**
 * For this long a version that was written is taken to be there still, milliseconds. Well below the time for which
 * record-sweep.ts lets every object be.
 */
const REMEMBERED_MS = 1_800_000;
const MAX_REMEMBERED = 10_000;

/** Where the version of a tenant's script with this SHA-256 is kept. */
export function versionKeyOf(hostname: string, sha256: string): string {
  return `${VERSIONS_PREFIX}${hostname}/${sha256}.js`;
}

export function partKeyOf(id: string, part: PartName): string {
  return `${PARTS_PREFIX}${id}/${part}`;
}

/** What records keep in the bucket: script versions by their content, and large bodies. Errors are the SDK's. */
export class RecordBucket {
  readonly #s3: S3Client;
  readonly #config: Pick<Config, 'AWS_BUCKET' | 'UPSTREAM_TIMEOUT_MS'>;
  readonly #written = new LRUCache<string, true>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });
  /** The last object that was put got no answer in time. */
  #isSilent = false;
  #isTrying = false;

  constructor(s3: S3Client, config: Pick<Config, 'AWS_BUCKET' | 'UPSTREAM_TIMEOUT_MS'>) {
    this.#s3 = s3;
    this.#config = config;
  }

  /** Keeps a version; one that was written of late is not written again. @returns its SHA-256 */
  async keepVersion(hostname: string, source: Buffer): Promise<string> {
    const sha256 = sha256Of(source);
    const key = versionKeyOf(hostname, sha256);
    if (this.#written.has(key)) return sha256;
    await this.put(key, source);
    this.#written.set(key, true);
    return sha256;
  }

  /**
   * A job waits for this in its runner's hand: while the bucket gives no answer only one at a time does, and the
   * others are told at once.
   */
  async put(key: string, body: Buffer): Promise<void> {
    if (this.#isSilent && this.#isTrying) throw new Error('the bucket does not answer');
    const limit = this.#limit();
    this.#isTrying = true;
    try {
      await this.#s3.send(new PutObjectCommand({ ...this.#at(key), Body: body }), limit);
      this.#isSilent = false;
    } catch (error) {
      this.#isSilent = limit.abortSignal.aborted;
      throw error;
    } finally {
      this.#isTrying = false;
    }
  }

  /** @returns `undefined` when there is no such object */
  async get(key: string): Promise<Buffer | undefined> {
    try {
      const { Body } = await this.#s3.send(new GetObjectCommand(this.#at(key)), this.#limit());
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async has(key: string): Promise<boolean> {
    try {
      await this.#s3.send(new HeadObjectCommand(this.#at(key)), this.#limit());
      return true;
    } catch (error) {
      if (error instanceof NotFound || error instanceof NoSuchKey) return false;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#s3.send(new DeleteObjectCommand(this.#at(key)), this.#limit());
  }

  #at(key: string) {
    return { Bucket: this.#config.AWS_BUCKET, Key: key };
  }

  #limit() {
    return { abortSignal: AbortSignal.timeout(this.#config.UPSTREAM_TIMEOUT_MS) };
  }
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
