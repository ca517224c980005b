import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type _Object as ListedObject,
} from '@aws-sdk/client-s3';
import { parseHostname } from '../../shared/hostname.ts';
import { scriptKeyOf } from '../../shared/invocation.ts';
import { CliError } from './errors.ts';
import { isMissing, withStorageErrors } from './storage-errors.ts';
import type { Storage } from './storage.ts';

export interface StoredScript {
  readonly hostname: string;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** ISO 8601. */
  readonly lastModified: string | undefined;
  /** Without quotes. */
  readonly etag: string;
}

/** Stores a script in place of the one before. Returns its ETag without quotes. */
export async function putScript(storage: Storage, hostname: string, bytes: Buffer): Promise<string> {
  const object = { Bucket: storage.bucket, Key: scriptKeyOf(hostname) };
  const { ETag } = await withStorageErrors(storage, () =>
    storage.s3.send(
      new PutObjectCommand({ ...object, Body: bytes, ContentType: 'text/javascript' }),
      limit(),
    ),
  );
  return unquote(ETag);
}

/** Every script that the server would find, by hostname. */
export async function listScripts(storage: Storage): Promise<StoredScript[]> {
  const scripts: StoredScript[] = [];
  let token: string | undefined;
  do {
    const request = { Bucket: storage.bucket, ...(token ? { ContinuationToken: token } : {}) };
    const page = await withStorageErrors(storage, () =>
      storage.s3.send(new ListObjectsV2Command(request), limit()),
    );
    for (const object of page.Contents ?? []) scripts.push(...asScript(object));
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token);
  return scripts.sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
}

/** @throws CliError also when there is no script for the hostname */
export async function getScript(storage: Storage, hostname: string): Promise<Uint8Array> {
  const object = { Bucket: storage.bucket, Key: scriptKeyOf(hostname) };
  return withStorageErrors(storage, async () => {
    try {
      const { Body } = await storage.s3.send(new GetObjectCommand(object), limit());
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      throw isMissing(error) ? noScript(storage, hostname) : error;
    }
  });
}

/** @throws CliError also when there is no script for the hostname */
export async function removeScript(storage: Storage, hostname: string): Promise<void> {
  const object = { Bucket: storage.bucket, Key: scriptKeyOf(hostname) };
  await withStorageErrors(storage, async () => {
    try {
      // Deleting alone would not tell that there was nothing to delete.
      await storage.s3.send(new HeadObjectCommand(object), limit());
    } catch (error) {
      if (!isMissing(error)) throw error;
      await requireBucket(storage);
      throw noScript(storage, hostname);
    }
    await storage.s3.send(new DeleteObjectCommand(object), limit());
  });
}

const TIMEOUT_MS = 30_000;

/** A server that takes a connection and never answers must not hold the terminal forever. */
function limit(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(TIMEOUT_MS) };
}

/** A script at a key that no request leads to, such as one in upper case, is not a tenant's. */
function asScript({ Key, Size, LastModified, ETag }: ListedObject): StoredScript[] {
  const hostname = /^([^/]+)\/index\.js$/.exec(Key ?? '')?.[1];
  if (hostname === undefined || parseHostname(hostname) !== hostname) return [];
  return [
    {
      hostname,
      key: scriptKeyOf(hostname),
      size: Size ?? 0,
      lastModified: LastModified?.toISOString(),
      etag: unquote(ETag),
    },
  ];
}

/** `HeadObject` says the same for a missing object and a missing bucket. */
async function requireBucket(storage: Storage): Promise<void> {
  try {
    await storage.s3.send(new HeadBucketCommand({ Bucket: storage.bucket }), limit());
  } catch (error) {
    if (!isMissing(error)) return;
    throw new CliError(`${storage.place}: there is no bucket ${storage.bucket}; check AWS_BUCKET`);
  }
}

function noScript(storage: Storage, hostname: string): CliError {
  return new CliError(`${storage.place}: there is no script for ${hostname} (${scriptKeyOf(hostname)})`);
}

function unquote(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}
