import { isUtf8 } from 'node:buffer';

/** Bytes as they travel in JSON: as themselves when they are text, base64 otherwise. */
export interface EncodedBody {
  readonly encoding: 'utf8' | 'base64';
  readonly data: string;
}

/** Text stays text: base64 costs a third more bytes, and most bodies are text. */
export function encodeBody(bytes: Buffer): EncodedBody {
  return isUtf8(bytes)
    ? { encoding: 'utf8', data: bytes.toString('utf8') }
    : { encoding: 'base64', data: bytes.toString('base64') };
}

export function decodeBody(body: EncodedBody): Buffer {
  return Buffer.from(body.data, body.encoding);
}
