import { InvalidArgumentError } from 'commander';
import { parseHostname } from '../../shared/hostname.ts';

/** `--hostname` as it was given, and as the server knows the tenant. */
export interface HostnameOption {
  readonly given: string;
  readonly hostname: string;
}

/** Parser of `--hostname`, for commander. */
export function hostnameOption(given: string): HostnameOption {
  const hostname = parseHostname(given);
  if (hostname !== undefined) return { given, hostname };
  throw new InvalidArgumentError('Expected a hostname without port, such as my.example.com.');
}
