import { createHash } from 'node:crypto';

/** Paths below this one are lc500's own at every hostname (RFC 8615) and never reach a script. */
const OWN_PATHS = '/.well-known/lc500/';
const INVOCATIONS = `${OWN_PATHS}invocations/`;

/** Characters of a location's id, six bits each: 132 bits that nobody guesses. */
export const LOCATION_ID_LENGTH = 22;

const LOCATION = new RegExp(
  String.raw`^${INVOCATIONS.replaceAll('.', String.raw`\.`)}([\w-]{${LOCATION_ID_LENGTH}})(/answer)?(?:\?.*)?$`,
);

/** Where an asynchronous request's state can be seen, at its own hostname. */
export function locationOf(locationId: string): string {
  return INVOCATIONS + locationId;
}

export function isOwnPath(url: string): boolean {
  return url.startsWith(OWN_PATHS);
}

/** A request target for a log: a location is a secret, and so is not in it. */
export function withoutLocation(url: string): string {
  return isOwnPath(url) ? OWN_PATHS : url;
}

/** `undefined` when it is no location. */
export function parseLocation(url: string): { locationId: string; isAnswer: boolean } | undefined {
  const [, locationId, answer] = LOCATION.exec(url) ?? [];
  return locationId === undefined ? undefined : { locationId, isAnswer: answer !== undefined };
}

/**
 * Redis key of what is known of an asynchronous request. Hashed with the hostname: who reads Redis's keys learns
 * no location, and at another tenant's hostname there is nothing.
 */
export function asyncRecordKey(prefix: string, hostname: string, locationId: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([hostname, locationId]))
    .digest('base64url');
  return `${prefix}:async:${digest}`;
}
