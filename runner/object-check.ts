import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';

/** What an object's answer says about its content, beside the content. */
export type ObjectFacts = Pick<
  GetObjectCommandOutput,
  | 'ContentLength'
  | 'ETag'
  | 'ServerSideEncryption'
  | 'SSECustomerAlgorithm'
  | 'ChecksumCRC32'
  | 'ChecksumCRC32C'
  | 'ChecksumCRC64NVME'
  | 'ChecksumSHA1'
  | 'ChecksumSHA256'
>;

/** Bytes that are not the object that was stored. */
class DamagedObject extends Error {
  override readonly name = 'DamagedObject';
}

/**
 * Refuses bytes that are not the whole object as it was stored.
 *
 * A checksum that the server sent has been compared by the SDK while the body was read. Without one the ETag
 * counts where it is the content's MD5: for an object that was stored in one part and not encrypted with keys
 * that S3 does not hold alone. (Amazon S3 API reference, "Object", ETag.)
 *
 * @throws DamagedObject
 */
export function requireWhole(facts: ObjectFacts, body: Buffer): void {
  const { ContentLength: length } = facts;
  if (length !== undefined && length !== body.length)
    throw new DamagedObject(`${body.length} bytes of ${length} arrived`);
  if (hasChecksum(facts)) return;
  const md5 = md5Of(facts);
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('hex'))
    throw new DamagedObject(`the content does not match its ETag ${md5}`);
  if (md5 === undefined && length === undefined)
    throw new DamagedObject('neither length nor checksum tells whether this is all of it');
}

function hasChecksum(facts: ObjectFacts): boolean {
  const { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = facts;
  const sent = [ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256];
  // "…-7" is made of the checksums of seven parts; the SDK leaves it alone.
  return sent.some((checksum) => checksum !== undefined && !checksum.includes('-'));
}

function md5Of({ ETag, ServerSideEncryption, SSECustomerAlgorithm }: ObjectFacts): string | undefined {
  if (SSECustomerAlgorithm || (ServerSideEncryption && ServerSideEncryption !== 'AES256')) return undefined;
  return /^"?([0-9a-f]{32})"?$/.exec(ETag ?? '')?.[1];
}
