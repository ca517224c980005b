import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { HeaderPair } from '../headers.ts';

const ALGORITHM = 'aes-256-gcm';
/** Bytes; random, as NIST SP 800-38D section 8.2.2 allows: a key seals far fewer than 2^32 records. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A header that was left out, and its place among all. */
type Placed = readonly [place: number, name: string, value: string];

export interface Redacted {
  readonly headers: readonly HeaderPair[];
  /** Lower case, each once. */
  readonly redacted: readonly string[];
  readonly sealed?: string;
}

/**
 * Takes the named headers out; with a key they stay readable for who has it.
 *
 * @param names lower case
 * @param key 32 bytes in hexadecimal (AES-256-GCM)
 * @param id of the record, which is authenticated with them: they cannot be read out of another's
 */
export function redactHeaders(
  headers: readonly HeaderPair[],
  { names, key, id }: { names: readonly string[]; key: string | undefined; id: string },
): Redacted {
  const secret = headers.flatMap(([name, value], place): Placed[] =>
    names.includes(name.toLowerCase()) ? [[place, name, value]] : [],
  );
  const rest = headers.filter(([name]) => !names.includes(name.toLowerCase()));
  const redacted = [...new Set(secret.map(([, name]) => name.toLowerCase()))];
  if (secret.length === 0 || key === undefined) return { headers: rest, redacted };
  return { headers: rest, redacted, sealed: seal(JSON.stringify(secret), key, id) };
}

/**
 * Puts sealed headers back into their places. Without the key, or with another than they were sealed with, they
 * stay out.
 */
export function restoreHeaders(
  { headers, sealed }: Redacted,
  key: string | undefined,
  id: string,
): HeaderPair[] {
  const restored = [...headers];
  const secret = sealed !== undefined && key !== undefined ? unseal(sealed, key, id) : [];
  for (const [place, name, value] of secret) restored.splice(place, 0, [name, value]);
  return restored;
}

/** Nonce, tag and ciphertext in base64. */
function seal(text: string, key: string, id: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, Buffer.from(key, 'hex'), nonce).setAAD(Buffer.from(id));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

const schema = z.array(z.tuple([z.int().nonnegative(), z.string(), z.string()]));

function unseal(sealed: string, key: string, id: string): readonly Placed[] {
  const bytes = Buffer.from(sealed, 'base64');
  const body = NONCE_BYTES + TAG_BYTES;
  try {
    const decipher = createDecipheriv(ALGORITHM, Buffer.from(key, 'hex'), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(id)).setAuthTag(bytes.subarray(NONCE_BYTES, body));
    const text = Buffer.concat([decipher.update(bytes.subarray(body)), decipher.final()]);
    return schema.parse(JSON.parse(text.toString()));
  } catch {
    return [];
  }
}
