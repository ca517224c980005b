import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InvocationRecord } from './admin-schema.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURE_MODULE = join(ROOT, 'scripts/sandbox/fixture.ts');

/**
 * The test of a fixture: it fails as long as the run ends with an error. Text of tenants and clients is in it as
 * string literals only.
 *
 * @param folder where it will lie, absolute
 */
export function fixtureTest(record: InvocationRecord, folder: string): string {
  const { id, tenant, code, acceptedAt, request, answer } = record;
  const path = relative(folder, FIXTURE_MODULE).split(sep).join('/');
  const what = code === null ? 'was answered' : `failed with ${code}`;
  const title = `${request.method} ${request.url} is answered`;
  return [
    `import { expect, test } from 'vitest';`,
    `import { runFixture } from ${literal(path)};`,
    '',
    `// Invocation ${word(id)} of ${word(tenant)}, ${word(acceptedAt)}, ${word(what)}.`,
    '// Mend script.js until this passes, and push it:',
    `//   npx lc500 script push --hostname ${word(tenant)} --file script.js`,
    `test(${literal(title)}, async () => {`,
    '  const { failure, answer } = await runFixture(import.meta.dirname);',
    '  expect(failure).toBe(undefined);',
    '  // Say here what the answer should be:',
    `  // expect(answer?.status).toBe(${answer?.status ?? 200});`,
    `  // expect(answer?.headers).toContainEqual(['Content-Type', 'text/plain']);`,
    `  // expect(answer?.body.toString()).toBe('');`,
    '  expect(answer).not.toBe(undefined);',
    '});',
    '',
  ].join('\n');
}

/**
 * Vitest's configuration where the fixture is a project of its own, without the services of lc500's own tests.
 *
 * @param folder where it will lie, absolute
 */
export function fixtureConfig(folder: string): string {
  // Outside of lc500's folder there is no vitest to be found.
  const isInside = !relative(ROOT, folder).startsWith('..');
  const alias = isInside
    ? ''
    : `  resolve: { alias: { vitest: ${literal(fileURLToPath(import.meta.resolve('vitest')))} } },\n`;
  return `export default {\n  test: { include: ['*.test.ts'], testTimeout: 60_000, cache: false },\n${alias}};\n`;
}

/** A string literal that ends nowhere but at its end. */
function literal(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** For comments: nothing that could end one. */
function word(text: string): string {
  return text.replaceAll(/[^\w.: @[\]-]/g, '?');
}
