import type { Config } from '../shared/config.ts';

/** Where a request's blueprint is to be had; `null`: it has none. */
export function blueprintKeyOf(
  { BLUEPRINT_TARGET }: Pick<Config, 'BLUEPRINT_TARGET'>,
  hostname: string,
  url: string,
): string | null {
  switch (BLUEPRINT_TARGET.kind) {
    case 'none':
      return null;
    case 's3':
      return `${hostname}/blueprint.json`;
    case 'http':
      return `http://${hostname}${url.startsWith('/') ? url : '/'}`;
  }
}
