import { isIP } from 'node:net';
import { z } from 'zod';
import { isHeaderName } from '../headers.ts';

/** Kinds of environment variables: what each takes, in words and as a schema. */

/** Where blueprints come from. */
export type BlueprintSource =
  | { readonly kind: 'none' }
  | { readonly kind: 's3' }
  | { readonly kind: 'http'; readonly origin: string };

/** Which answered invocations are kept. */
export type KeepCompleted =
  | { readonly kind: 'newest'; readonly count: number }
  /** From 0 to 1. */
  | { readonly kind: 'share'; readonly share: number };

export function integer(fallback: number, min: number, max: number) {
  const inRange = z.number().int().min(min).max(max);
  return {
    default: String(fallback),
    expected: `a whole number from ${min} to ${max}`,
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(inRange),
  } as const;
}

export function decimal(fallback: number, min: number, max: number) {
  const inRange = z.number().min(min).max(max);
  return {
    default: String(fallback),
    expected: `a number from ${min} to ${max}`,
    schema: z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .transform(Number)
      .pipe(inRange),
  } as const;
}

/** Words from a fixed choice, with commas or spaces between them; none by default. */
export function listOf<const T extends readonly string[]>(choice: T) {
  const words = z.array(z.enum(choice as unknown as [T[number], ...T[number][]]));
  return {
    default: ' ',
    defaultText: '–',
    expected: `of ${choice.join(', ')}`,
    schema: z
      .string()
      .transform((list) => list.split(/[\s,]+/).filter(Boolean))
      .pipe(words),
  } as const;
}

export function port<const D extends string | undefined>(fallback: D) {
  return {
    ...integer(0, 0, 65_535),
    default: fallback,
    expected: 'a port from 0 (any free one) to 65535',
  } as const;
}

export function text<const D extends string | undefined>(
  fallback: D,
  expected: string,
  min = 1,
  pattern = /^\S[^\r\n]*$/,
) {
  return { default: fallback, expected, schema: z.string().min(min).regex(pattern) } as const;
}

export function url<const D extends string | undefined>(fallback: D, protocols: readonly string[]) {
  return {
    default: fallback,
    expected: `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    schema: z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol)),
  } as const;
}

/** `10.0.0.0/8, 192.0.2.1 2001:db8::/32`; empty for `none`. */
export function networks(list: string, context: z.RefinementCtx<string>): readonly string[] {
  const words = list.split(/[\s,]+/).filter(Boolean);
  if (words.join() === 'none') return [];
  for (const word of words) {
    const [, address = '', prefix = '0'] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(word) ?? [];
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    if (Number(prefix) > bits) context.addIssue(`not a network: ${word}`);
  }
  return words;
}

export function keepCompleted(given: string, context: z.RefinementCtx<string>): KeepCompleted {
  const [, number, percent] = /^(\d{1,7}(?:\.\d+)?)(%?)$/.exec(given) ?? [];
  const value = Number(number ?? NaN);
  if (percent && value <= 100) return { kind: 'share', share: value / 100 };
  if (!percent && Number.isInteger(value) && value <= 1_000_000) return { kind: 'newest', count: value };
  context.addIssue('neither a number nor a share');
  return z.NEVER;
}

/** In lower case. */
export function headerNames(given: string, context: z.RefinementCtx<string>): readonly string[] {
  const names = given
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  if (names.length === 1 && names[0] === 'none') return [];
  if (!names.every(isHeaderName)) context.addIssue('not names of headers');
  return names;
}

export function blueprintSource(target: string, context: z.RefinementCtx<string>): BlueprintSource {
  if (target === 's3') return { kind: 's3' };
  const uri = target.startsWith('http://') ? target : `http://${target}`;
  const parsed = URL.canParse(uri) ? new URL(uri) : undefined;
  if (parsed?.hostname && parsed.pathname === '/' && !parsed.search && !parsed.hash && !parsed.username) {
    return { kind: 'http', origin: parsed.origin };
  }
  context.addIssue('not a blueprint target');
  return z.NEVER;
}
