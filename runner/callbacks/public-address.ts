import { lookup as lookupAnywhere } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address that a tenant must not have a runner connect to. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';

  constructor(host: string, address: string) {
    super(
      host === address ? `${host} is not a public address` : `${host} is ${address}, not a public address`,
    );
  }
}

/** All that is handed out for the Internet: RFC 4291 section 2.4, the IANA registry of global unicast addresses. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');

/**
 * Whether an address is one of the Internet's: none of this machine or network, of a provider's inside, of
 * documentation, multicast, or of a way from IPv6 to IPv4 that could lead to one of these (RFC 6890, RFC 6052).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST);
}

/** @throws PrivateAddress when the URL itself names an address that is none. Such a one is never looked up */
export function requirePublicLiteral({ hostname }: URL): void {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0 && !isPublicAddress(address)) throw new PrivateAddress(address, address);
}

type Resolve = (
  hostname: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Looks names up for a connection and refuses those that have any address that is not public. The connection is made
 * to just the addresses that were checked, so an answer that changes from one question to the next is of no use.
 */
export function publicLookup(resolve: Resolve = lookupAnywhere): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const refused = addresses?.find(({ address }) => !isPublicAddress(address));
      const [first] = addresses ?? [];
      if (error || !first) return done(error ?? new Error(`${hostname} has no address`), []);
      if (refused) return done(new PrivateAddress(hostname, refused.address), []);
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
}
