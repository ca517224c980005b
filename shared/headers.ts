/** A header field as received or to be sent: name and value, order, case and repeats kept. */
export type HeaderPair = readonly [name: string, value: string];

/**
 * Fields that belong to one connection or to the framing of one message, never to the answer itself.
 * Source: RFC 9110 section 7.6.1 (Connection), section 6.4 and 8.6 (Content-Length), section 10.1.1 (Expect).
 */
const FRAMING = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 section 5.5: visible ASCII, obs-text, space and tab. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function isHeaderName(name: string): boolean {
  return TOKEN.test(name);
}

export function isHeaderValue(value: string): boolean {
  return FIELD_VALUE.test(value);
}

/** `[n, v, n, v, …]`, as Node gives received headers, to pairs. */
export function toPairs(raw: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] as string, raw[i + 1] as string]);
  return pairs;
}

/** The fields that may travel on: without framing, and without what `Connection` itself names. */
export function endToEnd(pairs: readonly HeaderPair[]): HeaderPair[] {
  const named = new Set<string>();
  for (const [name, value] of pairs) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  return pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    return !FRAMING.has(lower) && !named.has(lower);
  });
}

/** All values of a field, in order. */
export function headerValues(pairs: readonly HeaderPair[], name: string): string[] {
  const lower = name.toLowerCase();
  return pairs.filter(([candidate]) => candidate.toLowerCase() === lower).map(([, value]) => value);
}
