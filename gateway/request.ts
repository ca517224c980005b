import type { IncomingMessage } from 'node:http';
import getRawBody from 'raw-body';
import { LC500Error } from '../shared/errors.ts';
import { headerValues, toPairs } from '../shared/headers.ts';
import { parseHost } from '../shared/hostname.ts';
import type { InvocationRequest } from '../shared/invocation.ts';

/**
 * The tenant that a request is for.
 *
 * @throws LC500Error `bad_host` when `Host` is missing, repeated, not a hostname, or disagrees with an
 *   absolute-form target (RFC 9112 section 3.2)
 */
export function hostnameOf(message: IncomingMessage): string {
  const hosts = headerValues(toPairs(message.rawHeaders), 'host');
  if (hosts.length !== 1) throw badHost(`expected one Host header, got ${hosts.length}`);
  const hostname = parseHost(hosts[0] as string);
  if (hostname === undefined) throw badHost(`Host ${JSON.stringify(hosts[0])} is not a hostname`);
  const authority = authorityOf(message.url ?? '');
  if (authority !== undefined && parseHost(authority) !== hostname) {
    throw badHost(`the target is for ${authority}, but Host says ${hosts[0]}`);
  }
  return hostname;
}

/**
 * The request as a script is to see it, with its whole body.
 *
 * @throws LC500Error `request_too_large` as soon as the limit is passed, `bad_request` when the client breaks off
 */
export async function readRequest(message: IncomingMessage, maxBytes: number): Promise<InvocationRequest> {
  return {
    method: message.method ?? 'GET',
    url: originForm(message.url ?? '/'),
    headers: toPairs(message.rawHeaders),
    body: await readBody(message, maxBytes),
  };
}

const NO_BODY = Buffer.alloc(0);

async function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': encoding } = message.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return NO_BODY;
  try {
    return await getRawBody(message, { length: length ?? null, limit: maxBytes });
  } catch (error) {
    const { type } = error as { type?: string };
    if (type === 'entity.too.large')
      throw new LC500Error('request_too_large', `the body is over ${maxBytes} bytes`);
    throw new LC500Error('bad_request', `the body did not arrive whole (${type ?? String(error)})`, {
      cause: error,
    });
  }
}

/** `http://host/path?query` → `/path?query`; every other form as it is. */
export function originForm(target: string): string {
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(target)?.[1];
  if (path === undefined) return target;
  return path.startsWith('/') ? path : `/${path}`;
}

function authorityOf(target: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1];
}

function badHost(message: string): LC500Error {
  return new LC500Error('bad_host', message);
}
