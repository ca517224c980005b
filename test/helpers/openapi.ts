import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';
import type { Answer } from './http.ts';

const TEXT = readFileSync(new URL('../../gateway/admin/openapi.yaml', import.meta.url), 'utf8');

interface Operation {
  readonly security?: readonly unknown[];
  readonly responses: Readonly<Record<string, unknown>>;
}

/** The admin interface's description. */
const openapi = parse(TEXT) as { readonly paths: Readonly<Record<string, Record<string, Operation>>> };

export interface Described {
  readonly method: string;
  /** `/invocations/{id}` */
  readonly path: string;
  /** Whether it is behind the token. */
  readonly isSecret: boolean;
}

export const described: readonly Described[] = Object.entries(openapi.paths).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => method !== 'parameters')
    .map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path,
      isSecret: security?.length !== 0,
    })),
);

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(openapi, 'openapi');

/** What is wrong with an answer by its description; nothing when it is as described. */
export function violations(method: string, path: string, answer: Answer): string[] {
  const pointer = `/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}/responses/${answer.status}`;
  const response = follow(pointer);
  if (!response) return [`${method} ${path}: ${answer.status} is not described`];
  const content = response.value['content'] as Record<string, unknown> | undefined;
  if (!content) return answer.body.length === 0 ? [] : ['a body that is not described'];
  const type = (answer.header('content-type') ?? '').split(';')[0] as string;
  if (!(type in content)) return [`${method} ${path}: ${type} is not described`];
  if (!type.endsWith('json')) return [];
  const schema = `openapi#${response.pointer}/content/${type.replaceAll('/', '~1')}/schema`;
  const validate = ajv.compile({ $ref: schema });
  return validate(answer.json()) ? [] : [`${method} ${path}: ${ajv.errorsText(validate.errors)}`];
}

/** What is at a JSON pointer, or where that refers to. */
function follow(pointer: string): { pointer: string; value: Record<string, unknown> } | undefined {
  const value = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (at, name) => (at as Record<string, unknown> | undefined)?.[name.replaceAll('~1', '/')],
      openapi,
    ) as Record<string, unknown> | undefined;
  const reference = value?.['$ref'];
  if (typeof reference === 'string') return follow(reference.slice(1));
  return value && { pointer, value };
}
