import { InvalidArgumentError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { headerValues, isHeaderName, isHeaderValue, type HeaderPair } from '../../shared/headers.ts';
import type { HostnameOption } from './hostname-option.ts';
import { readInput } from './input.ts';

export interface InvokeOptions {
  readonly hostname: HostnameOption;
  readonly method?: string;
  readonly path: string;
  readonly header?: readonly HeaderPair[];
  readonly data?: string;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  /** All of them: `Host` and framing, too. */
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
}

/** What goes over the wire. Headers that were given take the place of those made here. */
export async function toRequest(options: InvokeOptions): Promise<OutgoingRequest> {
  const given = options.header ?? [];
  const body = options.data === undefined ? Buffer.alloc(0) : await readData(options.data);
  const method = options.method ?? (options.data === undefined ? 'GET' : 'POST');
  const own: HeaderPair[] = [
    ['Host', options.hostname.hostname],
    ['User-Agent', `lc500/${manifest.version}`],
    ['Accept', '*/*'],
  ];
  const framed = ['content-length', 'transfer-encoding'].some((name) => headerValues(given, name).length > 0);
  const hasBody =
    options.data !== undefined || !['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE'].includes(method);
  if (hasBody && !framed) own.push(['Content-Length', String(body.length)]);
  const missing = own.filter(([name]) => headerValues(given, name).length === 0);
  return { method, path: options.path, headers: [...missing, ...given], body };
}

function readData(data: string): Promise<Buffer> {
  return data.startsWith('@') ? readInput(data.slice(1)) : Promise.resolve(Buffer.from(data));
}

/** Parser of `--method`. Node's client sends methods in upper case whatever it is given. */
export function methodOption(given: string): string {
  const method = given.toUpperCase();
  // CONNECT asks for a tunnel, not for an answer.
  if (isHeaderName(method) && method !== 'CONNECT') return method;
  throw new InvalidArgumentError('Expected an HTTP method, such as POST.');
}

/** Parser of `--path`: a request target that can be sent as it is. */
export function pathOption(given: string): string {
  if (/^\/[\x21-\x7e]*$/.test(given)) return given;
  throw new InvalidArgumentError(
    'Expected a path that begins with / and is percent-encoded, such as /a%20b?x=1.',
  );
}

/** Parser of `--header`, for commander: adds to those given before. */
export function headerOption(given: string, before: readonly HeaderPair[] = []): HeaderPair[] {
  const colon = given.indexOf(':');
  const [name, value] = [given.slice(0, Math.max(colon, 0)), given.slice(colon + 1).trim()];
  if (isHeaderName(name) && isHeaderValue(value)) return [...before, [name, value]];
  throw new InvalidArgumentError("Expected 'Name: value'.");
}

/** Parser of `--gateway`: an origin, since the path is an option of its own. */
export function gatewayOption(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isOrigin = url?.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
  if (url && isOrigin && ['http:', 'https:'].includes(url.protocol)) return url;
  throw new InvalidArgumentError('Expected a URL without path, such as http://127.0.0.1:8080.');
}
