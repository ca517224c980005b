import type { S3Client } from '@aws-sdk/client-s3';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Config } from '../../shared/config.ts';
import { ObjectUnread, readObject } from '../object-read.ts';
import { withRetries } from '../retry.ts';

/** Where a tenant's settings lie in the bucket. */
export function settingsKeyOf(hostname: string): string {
  return `${hostname}/lc500.json`;
}

const SECRET = /^whsec_[A-Za-z0-9+/]{32,128}={0,2}$/;

const callbackSchema = z.object({
  url: z.string().refine(isCallbackUrl),
  /** Standard Webhooks: `whsec_` and 24 to 64 bytes as base64. */
  secret: z
    .string()
    .regex(SECRET)
    .refine((secret) => {
      const { length } = Buffer.from(secret.slice('whsec_'.length), 'base64');
      return length >= 24 && length <= 64;
    }),
});

const schema = z.object({ callback: callbackSchema.optional() });

/** `callback`: where a tenant wants to be told what became of asynchronous requests, and what that is signed with. */
export type TenantSettings = z.output<typeof schema>;

/** The object is there, and not what it should be: the tenant's own doing. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';
}

/** @throws BadSettings naming what is wrong, without the values: one is a secret */
export function parseSettings(text: string): TenantSettings {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BadSettings('not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new BadSettings(`bad: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`);
}

/** Credentials belong into no URL; the signature says who sends. */
function isCallbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ['https:', 'http:'].includes(protocol) && username === '' && password === '';
}

const MAX_BYTES = 16_384;
const MAX_TENANTS = 10_000;
const NONE: TenantSettings = Object.freeze({});

/** The tenants' settings, as they lay in the bucket at most `SCRIPT_REVALIDATE_MS` ago. */
export class TenantSettingsStore {
  readonly #s3: S3Client;
  readonly #config: Config;
  readonly #known: LRUCache<string, TenantSettings>;

  constructor(s3: S3Client, config: Config) {
    this.#s3 = s3;
    this.#config = config;
    // To the cache, 0 means for ever.
    this.#known = new LRUCache({ max: MAX_TENANTS, ttl: Math.max(1, config.SCRIPT_REVALIDATE_MS) });
  }

  /** @throws BadSettings, or ObjectUnread */
  async get(hostname: string): Promise<TenantSettings> {
    const known = this.#known.get(hostname);
    if (known) return known;
    const wanted = {
      bucket: this.#config.AWS_BUCKET,
      key: settingsKeyOf(hostname),
      maxBytes: MAX_BYTES,
      timeoutMs: this.#config.UPSTREAM_TIMEOUT_MS,
    };
    const found = await withRetries(
      () => readObject(this.#s3, wanted),
      (error) => error instanceof ObjectUnread && error.isPassing,
    );
    const settings = found.kind === 'object' ? parseSettings(found.body.toString()) : NONE;
    this.#known.set(hostname, settings);
    return settings;
  }
}
