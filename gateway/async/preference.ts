import type { HeaderPair } from '../../shared/headers.ts';

/** A request's wish for an answer that comes later (RFC 7240 section 4.1). */
export interface AsyncPreference {
  /** Milliseconds for which the client would rather wait for the answer itself (section 4.3); 0: not at all. */
  readonly waitMs: number;
}

const TOKEN = String.raw`[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+`;
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
/** Section 2: name, value, and parameters, which mean nothing here and are passed over. */
const PREFERENCE = new RegExp(String.raw`^(${TOKEN})(?:[ \t]*=[ \t]*(${TOKEN}|${QUOTED})?)?[ \t]*(?:;|$)`);

/**
 * What `Prefer` says of asynchronous answers.
 *
 * @param field the field's value, several lines joined by a comma as Node does
 * @param maxWaitMs a longer `wait` is cut to this
 * @returns `undefined` when `respond-async` is not asked for
 */
export function asyncPreferenceOf(field: string | undefined, maxWaitMs: number): AsyncPreference | undefined {
  if (field === undefined) return undefined;
  const preferences = parsePrefer(field);
  if (preferences.get('respond-async') !== '') return undefined;
  const wait = preferences.get('wait') ?? '';
  return { waitMs: /^\d+$/.test(wait) ? Math.min(Number(wait) * 1000, maxWaitMs) : 0 };
}

/** `Preference-Applied` (RFC 7240 section 3), with the wait as it was granted. */
export function preferenceApplied(
  preference: AsyncPreference | undefined,
  isAccepted: boolean,
): HeaderPair[] {
  if (!preference) return [];
  const applied = isAccepted ? ['respond-async'] : [];
  if (preference.waitMs > 0) applied.push(`wait=${Math.floor(preference.waitMs / 1000)}`);
  return applied.length > 0 ? [['Preference-Applied', applied.join(', ')]] : [];
}

/**
 * Names in lower case and their values; an empty value is none (RFC 7240 section 2). Of a preference that comes
 * twice the first counts. What is malformed is no preference that is known here, and passed over as those are.
 */
export function parsePrefer(field: string): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>();
  for (const element of listElements(field)) {
    const [, name, value = ''] = PREFERENCE.exec(element) ?? [];
    const key = name?.toLowerCase();
    if (key !== undefined && !preferences.has(key)) preferences.set(key, unquoted(value));
  }
  return preferences;
}

/** What stands between commas that are not in a quoted string (RFC 9110 section 5.6.1). */
function listElements(field: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < field.length; at++) {
    const char = field[at];
    if (char === '"') isQuoted = !isQuoted;
    else if (char === '\\' && isQuoted) at++;
    else if (char === ',' && !isQuoted) {
      elements.push(field.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...elements, field.slice(start).trim()];
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}
