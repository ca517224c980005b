import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where a sandbox's code is, and the file that it begins with. */
export interface SandboxCode {
  readonly directory: string;
  readonly entry: string;
}

const SOURCE = fileURLToPath(new URL('../sandbox', import.meta.url));
export const ADDON = createRequire(import.meta.url).resolve('isolated-vm');

/**
 * The sandbox's code, as JavaScript: from TypeScript every sandbox would load Node's type stripper first, a third of
 * the time that its start takes.
 *
 * It lies in a directory that all runners of a user share, named by its content, so that none is left behind by one
 * that was killed; nobody else may write there. Where that cannot be had it is the TypeScript.
 */
export class SandboxCodeStore {
  readonly #scripts: ReadonlyMap<string, string>;
  readonly #directory: string;

  /** @param parent where the directory is made */
  constructor(parent: string = tmpdir()) {
    this.#scripts = compile();
    const hash = createHash('sha256').update(JSON.stringify([...this.#scripts]));
    const name = ['lc500-sandbox', userId(), hash.digest('hex').slice(0, 16)].join('-');
    this.#directory = join(parent, name);
  }

  /** Sees to it that the code is there: the system may have tidied it away since it was last asked for. */
  find(): SandboxCode {
    try {
      mkdirSync(this.#directory, { recursive: true });
      const { uid, mode } = lstatSync(this.#directory);
      if (uid !== userId() || (mode & 0o022) !== 0) return asTypeScript();
      chmodSync(this.#directory, 0o755);
      for (const [name, script] of this.#scripts) keep(join(this.#directory, name), script);
    } catch {
      return asTypeScript();
    }
    return { directory: this.#directory, entry: join(this.#directory, 'main.mjs') };
  }
}

let store: SandboxCodeStore | undefined;

/** Asked for at each start. */
export function sandboxCode(): SandboxCode {
  store ??= new SandboxCodeStore();
  return store.find();
}

function asTypeScript(): SandboxCode {
  return { directory: SOURCE, entry: join(SOURCE, 'main.ts') };
}

/** Whole or not at all, whoever else does the same at this moment. */
function keep(path: string, script: string): void {
  if (contentOf(path) === script) return;
  const part = `${path}.${process.pid}`;
  writeFileSync(part, script);
  chmodSync(part, 0o644);
  renameSync(part, path);
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @returns file names and contents */
function compile(): ReadonlyMap<string, string> {
  const names = readdirSync(SOURCE).filter((name) => name.endsWith('.ts'));
  return new Map(
    names.map((name) => [toModule(name), toJavaScript(readFileSync(join(SOURCE, name), 'utf8'))]),
  );
}

function toModule(name: string): string {
  return name.replace(/\.ts$/, '.mjs');
}

/** Imports are found from elsewhere now. */
function toJavaScript(source: string): string {
  return withoutWarning(() => stripTypeScriptTypes(source))
    .replaceAll(
      /(import|from) '(\.\/[\w-]+\.ts)'/g,
      (_, word: string, path: string) => `${word} '${toModule(path)}'`,
    )
    .replaceAll(` from 'isolated-vm'`, ` from '${pathToFileURL(ADDON).href}'`);
}

/** That the function may change says nothing to an operator: this project's tests would find out. */
function withoutWarning<T>(task: () => T): T {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return task();
  } finally {
    process.emitWarning = emitWarning;
  }
}

function userId(): number {
  return process.getuid?.() ?? 0;
}
