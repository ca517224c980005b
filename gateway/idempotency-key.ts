import { createHash, type Hash } from 'node:crypto';
import { LC500Error } from '../shared/errors.ts';
import { headerValues } from '../shared/headers.ts';
import { isIdempotent, type InvocationRequest } from '../shared/invocation.ts';

const MAX_KEY = 255;

/** RFC 8941 section 3.3.3: printable ASCII in quotes, `\"` and `\\` escaped. */
const STRING = String.raw`"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"`;
/** Section 3.1.2. A parameter means nothing here and is passed over. */
const BARE_ITEM = String.raw`(?:${STRING.replace('((', '(?:(')}|:[\w+/=]*:|\?[01]|-?\d+(?:\.\d+)?|[A-Za-z*][\w!#$%&'*+.^|~:/\x60-]*)`;
const ITEM = new RegExp(String.raw`^${STRING}(?: *; *[a-z*][a-z0-9_.*-]*(?:=${BARE_ITEM})?)*$`);
/** What many clients send: the key without its quotes. */
const BARE_KEY = /^[\w.:~+/=@-]+$/;

/** Fields that change what a body means, or who asks. */
const FINGERPRINTED = ['content-type', 'content-encoding', 'authorization', 'cookie'];

/**
 * The request's `Idempotency-Key`: a string of 1 to 255 characters. Source: draft-ietf-httpapi-idempotency-key-
 * header-07 section 2.1 (an RFC 8941 String); a key without quotes is taken as the same key.
 *
 * @param field the field's value, several lines joined by a comma as Node does
 * @returns `undefined` when there is none, or when the method is idempotent and needs none
 * @throws LC500Error `idempotency_key_invalid`
 */
export function idempotencyKeyOf(method: string, field: string | undefined): string | undefined {
  if (field === undefined || isIdempotent(method)) return undefined;
  const quoted = ITEM.exec(field)?.[1]?.replace(/\\(["\\])/g, '$1');
  const key = quoted ?? (BARE_KEY.test(field) ? field : '');
  if (key.length > 0 && key.length <= MAX_KEY) return key;
  throw new LC500Error('idempotency_key_invalid', `not a key of 1 to ${MAX_KEY} characters: ${field}`);
}

/**
 * What a request asks for, as one short text. Two requests with the same key must agree in method, target, body
 * and the fields above; the others (`User-Agent`, `Date`, trace ids, …) may differ from one try to the next.
 */
export function fingerprintOf({ method, url, headers, body }: InvocationRequest): string {
  const hash = createHash('sha256');
  feed(hash, method, url);
  for (const name of FINGERPRINTED) feed(hash, JSON.stringify(headerValues(headers, name)));
  return hash.update(body).digest('base64url');
}

/** Each part with an end that cannot be in it. */
function feed(hash: Hash, ...parts: string[]): void {
  for (const part of parts) hash.update(part).update('\0');
}
