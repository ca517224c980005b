import S3Object from '@20minutes/s3rver/lib/models/object.js';
import FilesystemStore from '@20minutes/s3rver/lib/stores/filesystem.js';
import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';

/**
 * s3rver's store with two things mended that a cache by ETag meets at once: an object that is answered with
 * 304 left its file open, and one that was written and read at the same time came in part, or with the ETag
 * of another version.
 */
export class WholeObjectStore extends FilesystemStore {
  /** Reads the whole object into memory; its ETag is made from the very bytes that are answered. */
  override async getObject(
    bucket: string,
    key: string,
    range?: { start?: number; end?: number },
  ): Promise<S3Object | null> {
    if (range?.start !== undefined || range?.end !== undefined) return super.getObject(bucket, key, range);
    try {
      const metadata = await this.getMetadata(bucket, key);
      const bytes = await readFile(this.getResourcePath(bucket, key, 'object'));
      const md5 = createHash('md5').update(bytes).digest('hex');
      const whole = { ...metadata, etag: `"${md5}"`, 'content-length': bytes.length };
      return new S3Object(bucket, key, Readable.from([bytes], { objectMode: false }), whole);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Written beside the object and put in its place in one step. */
  override async putContent(path: string, content: unknown): Promise<[size: number, md5: string]> {
    const draft = `${path}.${randomUUID()}`;
    try {
      const written = await super.putContent(draft, content);
      await rename(draft, path);
      return written;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  /** The same for the two small files that go with an object. */
  override async putMetadata(bucket: string, key: string, metadata: object, md5?: string): Promise<void> {
    const draft = `${key}.${randomUUID()}`;
    await super.putMetadata(bucket, draft, metadata, md5);
    for (const part of md5 === undefined ? ['metadata.json'] : ['object.md5', 'metadata.json']) {
      await rename(this.getResourcePath(bucket, draft, part), this.getResourcePath(bucket, key, part));
    }
  }
}
