import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const MAX_HOSTNAME = 253;

/**
 * The tenant's name from a `Host` value: lower case, IDNA to ASCII, without port and trailing dot.
 *
 * Accepts `reg-name [":" port]`, an IPv4 address, or an IPv6 literal in brackets; the port is dropped.
 * Returns `undefined` for everything else, so that nothing unvalidated reaches a storage key.
 *
 * Sources: RFC 9110 section 7.2 (Host), RFC 3986 section 3.2 (authority), RFC 1123 section 2.1 (labels);
 * underscores are allowed because they occur in the wild.
 */
export function parseHost(host: string): string | undefined {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]@/\\?#\s%]+)(?::(\d{0,5}))?$/.exec(host);
  if (!parts?.[1] || Number(parts[2] ?? 0) > 65_535) return undefined;
  return parts[1].startsWith('[') ? ipv6(parts[1]) : dnsName(parts[1]);
}

/** `parseHost` for a bare hostname: a port is refused. */
export function parseHostname(hostname: string): string | undefined {
  return /:\d*$/.test(hostname) && !hostname.endsWith(']') ? undefined : parseHost(hostname);
}

function ipv6(literal: string): string | undefined {
  const address = literal.slice(1, -1);
  return isIP(address) === 6 ? `[${address.toLowerCase()}]` : undefined;
}

function dnsName(name: string): string | undefined {
  // domainToASCII maps case, full-width forms and the ideographic full stop (UTS #46).
  const ascii = domainToASCII(name).replace(/\.$/, '');
  if (ascii.length === 0 || ascii.length > MAX_HOSTNAME) return undefined;
  if (isIP(ascii) === 4) return ascii;
  const labels = ascii.split('.');
  if (/^\d+$/.test(labels.at(-1) ?? '')) return undefined;
  return labels.every((label) => LABEL.test(label)) ? ascii : undefined;
}
