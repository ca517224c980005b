import type { IncomingHttpHeaders } from 'node:http';
import parseForwarded from 'forwarded-parse';
import { parseAddress } from './address.ts';

/** The field in which the trusted proxies speak: what the other one says is of no account. */
export type ProxyHeader = 'x-forwarded-for' | 'forwarded';

/** What one proxy says of who was connected to it. */
export interface Hop {
  /** `undefined`: it is hidden (`for=_secret`, `unknown`) or unreadable. */
  readonly address: string | undefined;
  readonly proto: 'http' | 'https' | undefined;
}

/** What the proxies say, the nearest one first. */
export function readHops(headers: IncomingHttpHeaders, field: ProxyHeader): Hop[] {
  return field === 'forwarded' ? readForwarded(headers.forwarded) : readXForwarded(headers);
}

/** RFC 7239 section 4. Nobody knows where a field that cannot be read was broken, so it says nothing. */
function readForwarded(field: string | undefined): Hop[] {
  if (field === undefined) return [];
  try {
    return parseForwarded(field)
      .map((element) => ({ address: parseAddress(element['for'] ?? ''), proto: protoOf(element['proto']) }))
      .toReversed();
  } catch {
    return [];
  }
}

/** `X-Forwarded-Proto` is a list beside the other one, or has one value: the nearest proxy's. */
function readXForwarded(headers: IncomingHttpHeaders): Hop[] {
  const protos = listOf(headers['x-forwarded-proto']);
  return listOf(headers['x-forwarded-for']).map((address, i) => ({
    address: parseAddress(address),
    proto: protoOf(protos[i]),
  }));
}

/** From the right. Node joins repeated fields with commas. */
function listOf(field: string | string[] | undefined): string[] {
  if (field === undefined) return [];
  return String(field)
    .split(',')
    .map((part) => part.trim())
    .toReversed();
}

function protoOf(text: string | undefined): Hop['proto'] {
  const proto = text?.toLowerCase();
  return proto === 'http' || proto === 'https' ? proto : undefined;
}
