import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADDON, sandboxCode } from './sandbox-code.ts';

/** Says that the project's files are modules; Node looks for it beside them. */
const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url));

/** The files and directories that a sandbox is made of, beside Node itself. */
export function sandboxFiles(): string[] {
  const loader = createRequire(ADDON).resolve('node-gyp-build');
  return [MANIFEST, sandboxCode().directory, dirname(ADDON), dirname(loader)];
}

/** Node's executable and the shared libraries that it is loaded with. */
export function nodeFiles(): string[] {
  // Or it would look up the names of whoever is connected. The option is younger than its type.
  Object.assign(process.report, { excludeNetwork: true });
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  const libraries = sharedObjects.filter((path) => path.startsWith('/') && !path.endsWith('.node'));
  return [process.execPath, ...libraries];
}
