import type { S3Client } from '@aws-sdk/client-s3';
import type { Config } from '../shared/config.ts';
import { LC500Error } from '../shared/errors.ts';
import type { HeaderPair } from '../shared/headers.ts';
import type { Invocation } from '../shared/invocation.ts';
import { readBlueprint } from './blueprint-bucket.ts';
import { createBlueprintClient } from './blueprint-http.ts';

/** The per-request context that a script gets beside the request. */
export interface Blueprint {
  readonly status: number;
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
}

export interface BlueprintSource {
  /**
   * @param signal the invocation's end: nothing is tried after it
   * @throws LC500Error `blueprint_unavailable`
   */
  fetch(invocation: Invocation, signal: AbortSignal): Promise<Blueprint>;
  close(): Promise<void>;
}

export const EMPTY_BLUEPRINT: Blueprint = Object.freeze({ status: 200, headers: [], body: Buffer.alloc(0) });

export function createBlueprintSource(config: Config, s3: S3Client): BlueprintSource {
  const target = config.BLUEPRINT_TARGET;
  if (target.kind === 'none')
    return { fetch: () => Promise.resolve(EMPTY_BLUEPRINT), close: () => Promise.resolve() };
  if (target.kind === 's3') {
    return {
      fetch: ({ blueprintKey: key }, signal) =>
        orUnavailable(
          key,
          async (present) => (await readBlueprint(s3, config, present, signal)) ?? EMPTY_BLUEPRINT,
        ),
      close: () => Promise.resolve(),
    };
  }
  const client = createBlueprintClient(target.origin, config);
  return {
    fetch: ({ request, blueprintKey: key }, signal) =>
      orUnavailable(key, (present) => client.ask(request, present, signal)),
    close: () => client.close(),
  };
}

async function orUnavailable(
  key: string | null,
  obtain: (key: string) => Promise<Blueprint>,
): Promise<Blueprint> {
  if (key === null) return EMPTY_BLUEPRINT;
  try {
    return await obtain(key);
  } catch (cause) {
    throw new LC500Error('blueprint_unavailable', `the blueprint ${key} cannot be had: ${String(cause)}`, {
      cause,
    });
  }
}
