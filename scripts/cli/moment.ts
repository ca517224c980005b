import { InvalidArgumentError } from 'commander';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Parser of `--since` and `--until`, for commander. @returns ISO 8601 in UTC */
export function momentOption(given: string): string {
  return momentOf(given, Date.now());
}

/**
 * A time ago such as `90s`, `30m`, `2h`, `7d`, `1w`, or a date and time as
 * ISO 8601 has them (without an offset: UTC, whether or not there is a time of day).
 *
 * @param now milliseconds since the epoch
 * @returns ISO 8601 in UTC
 */
export function momentOf(given: string, now: number): string {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(given) ?? [];
  const time =
    amount === undefined ? absolute(given) : now - Number(amount) * UNITS[unit as keyof typeof UNITS];
  const date = new Date(time);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new InvalidArgumentError(
    'Expected a time ago, such as 30m, 2h or 7d, or a time, such as 2026-11-25T02:00Z.',
  );
}

/** Milliseconds since the epoch; `NaN` for what is no time. */
function absolute(given: string): number {
  const date = /^\d{4}-\d\d-\d\d(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/i.exec(given);
  if (!date) return NaN;
  const [, time, offset] = date;
  return Date.parse(time !== undefined && offset === undefined ? `${given}Z` : given);
}
