import { isIP } from 'node:net';

/** A socket's address as this project writes it: IPv4 is not mapped into IPv6, and a link's name is left out. */
export function addressOf(remote: string | undefined): string {
  return parseAddress(remote ?? '') ?? 'unknown';
}

/**
 * The IP address in an address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
 * `[2001:db8::1]`, `[2001:db8::1]:80` (RFC 7239 section 6).
 *
 * @returns `undefined` for everything else
 */
export function parseAddress(text: string): string | undefined {
  const bare =
    /^\[([^\]]*)\](?::\w+)?$/.exec(text)?.[1] ?? /^([\d.]+):\w+$/.exec(text)?.[1] ?? text.split('%')[0] ?? '';
  if (isIP(bare) === 0) return undefined;
  return /^::ffff:([\d.]+)$/i.exec(bare)?.[1] ?? bare.toLowerCase();
}

/** What counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that its owner cannot choose. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
