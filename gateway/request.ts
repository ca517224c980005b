import type { IncomingMessage } from 'node:http';
import { LC500Error } from '../shared/errors.ts';
import { headerValues, toPairs } from '../shared/headers.ts';
import { parseHost } from '../shared/hostname.ts';
import type { InvocationRequest } from '../shared/invocation.ts';
import { withClient, type Client } from './proxies.ts';

/**
 * The tenant that a request is for.
 *
 * @throws LC500Error `bad_host` when `Host` is missing, repeated, not a hostname, or disagrees with an
 *   absolute-form target (RFC 9112 section 3.2)
 */
export function hostnameOf(message: IncomingMessage): string {
  const hosts = headerValues(toPairs(message.rawHeaders), 'host');
  if (hosts.length !== 1) throw badHost(`expected one Host header, got ${hosts.length}`);
  const hostname = parseHost(fromUtf8(hosts[0] as string));
  if (hostname === undefined) throw badHost(`Host ${JSON.stringify(hosts[0])} is not a hostname`);
  const authority = authorityOf(message.url ?? '');
  if (authority !== undefined && parseHost(authority) !== hostname) {
    throw badHost(`the target is for ${authority}, but Host says ${hosts[0]}`);
  }
  return hostname;
}

/**
 * The request as a script is to see it.
 *
 * @param client put in place of what the request says of its origin; `undefined`: that is passed on as it came
 */
export function scriptsView(
  message: IncomingMessage,
  client: Client | undefined,
  body: Buffer,
): InvocationRequest {
  const headers = toPairs(message.rawHeaders);
  return {
    method: message.method ?? 'GET',
    url: originForm(message.url ?? '/'),
    headers: client ? withClient(headers, client) : headers,
    body,
  };
}

/** `http://host/path?query` → `/path?query`; every other form as it is. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(target)?.[1];
  if (path === undefined) return target;
  return path.startsWith('/') ? path : `/${path}`;
}

function authorityOf(target: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1];
}

/** Node gives header values a code unit a byte; browsers send names as ASCII, other clients as UTF-8. */
function fromUtf8(host: string): string {
  return BEYOND_ASCII.test(host) ? Buffer.from(host, 'latin1').toString('utf8') : host;
}

const BEYOND_ASCII = /[\x80-\xff]/;

function badHost(message: string): LC500Error {
  return new LC500Error('bad_host', message);
}
