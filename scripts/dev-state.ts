import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const schema = z.object({
  env: z.record(z.string(), z.string()),
  gateway: z.url({ protocol: /^https?$/ }),
  /** Missing in the state of a dev of an older version. */
  admin: z.object({ url: z.url({ protocol: /^https?$/ }), token: z.string().min(1) }).optional(),
});

/**
 * What a running `npm run dev` tells the command line: its services' environment, its gateway's URL, its admin
 * interface and the token that opens it.
 */
export type DevState = z.output<typeof schema>;

/** Where the state lies, seen from the folder that dev runs in. */
export const DEV_STATE_FILE = '.lc500/dev.json';

/** Writes the state in one step, readable for its owner alone: the environment holds credentials. */
export async function writeDevState(state: DevState, folder = process.cwd()): Promise<void> {
  const file = join(folder, DEV_STATE_FILE);
  const draft = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(draft, `${JSON.stringify(schema.parse(state), undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}

/** Removes the state; that there is none is no error. */
export async function removeDevState(folder = process.cwd()): Promise<void> {
  await rm(join(folder, DEV_STATE_FILE), { force: true });
}

/**
 * The state of the dev that runs in a folder; `undefined` when none does.
 * A dev that was killed leaves its state behind: its addresses do not answer then.
 *
 * @throws Error when the file is there but is not a state
 */
export async function readDevState(folder = process.cwd()): Promise<DevState | undefined> {
  const text = await readFile(join(folder, DEV_STATE_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new Error(`cannot read ${DEV_STATE_FILE}: ${error.message}`, { cause: error });
  });
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${DEV_STATE_FILE} is damaged; remove it, or start npm run dev again`, { cause: error });
  }
}
