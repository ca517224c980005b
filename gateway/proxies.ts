import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { HeaderPair } from '../shared/headers.ts';
import { addressOf } from './address.ts';
import { readHops, type ProxyHeader } from './forwarded.ts';

/** Where a request really comes from. */
export interface Client {
  readonly address: string;
  /** How the client speaks to the outermost proxy that is trusted, or to the gateway itself. */
  readonly proto: 'http' | 'https';
  /** The client's address and those of the trusted proxies behind it, the one that is connected left out. */
  readonly route: readonly string[];
  /** Whether a trusted proxy speaks for it. */
  readonly isBehindProxy: boolean;
}

/**
 * The proxies that are believed when they say for whom they speak: `TRUSTED_PROXIES`.
 *
 * Each proxy adds at the right who was connected to it. So the list is read from the right, as long as the one who
 * wrote an entry is trusted; the first address that is not a trusted proxy's is the client's, and what stands left
 * of it anybody can have written.
 */
export class Proxies {
  readonly #trusted = new BlockList();
  readonly #header: ProxyHeader;

  /** @param networks addresses and CIDR blocks; empty: nobody is trusted */
  constructor(networks: readonly string[], header: ProxyHeader) {
    this.#header = header;
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      const family = familyOf(address);
      if (prefix === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(prefix), family);
    }
  }

  isTrusted(address: string): boolean {
    // A socket that was reset at once has no address any more.
    return isIP(address) !== 0 && this.#trusted.check(address, familyOf(address));
  }

  clientOf(message: IncomingMessage): Client {
    let address = addressOf(message.socket.remoteAddress);
    let proto: Client['proto'] = 'http';
    const route: string[] = [];
    if (!this.isTrusted(address)) return { address, proto, route: [address], isBehindProxy: false };
    let isBehindProxy = false;
    for (const hop of readHops(message.headers, this.#header)) {
      if (hop.address === undefined) break;
      ({ address } = hop);
      proto = hop.proto ?? proto;
      route.unshift(address);
      isBehindProxy = !this.isTrusted(address);
      if (isBehindProxy) break;
    }
    return { address, proto, route: route.length > 0 ? route : [address], isBehindProxy };
  }
}

/** Fields that tell where a request comes from; who reads `_` as `-` must not be lied to either. */
const ORIGIN = /^(?:forwarded|x[-_]forwarded[-_].*|x[-_]real[-_]ip)$/i;

/** A request's fields with the truth about its client in place of what came: one `X-Forwarded-For` and `-Proto`. */
export function withClient(headers: readonly HeaderPair[], client: Client): HeaderPair[] {
  const others = headers.filter(([name, value]) => !ORIGIN.test(name) && !disowns(name, value));
  return [...others, ['X-Forwarded-For', client.route.join(', ')], ['X-Forwarded-Proto', client.proto]];
}

/** `Connection: X-Forwarded-For` would have it taken away on the way to the blueprint server. */
function disowns(name: string, value: string): boolean {
  return name.toLowerCase() === 'connection' && value.split(',').some((option) => ORIGIN.test(option.trim()));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
