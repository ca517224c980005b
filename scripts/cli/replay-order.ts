import type { BlueprintMode, ReplayOrder, ScriptMode } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import { readInput } from './input.ts';
import { checkScript, MAX_SCRIPT_BYTES } from './script-check.ts';

export interface ReplayOptions extends AdminOptions {
  /** `original`, `current`, or a file. */
  readonly script?: string;
  readonly blueprint?: BlueprintMode;
  readonly unsafe?: true;
  readonly json?: true;
}

/** @throws CliError when the script is a file that cannot be read, or holds no script */
export async function orderOf(options: ReplayOptions): Promise<ReplayOrder> {
  const { script = 'original', blueprint = 'original', unsafe = false } = options;
  return { script: await scriptMode(script), blueprint, unsafe };
}

async function scriptMode(given: string): Promise<ScriptMode> {
  if (given === 'original' || given === 'current') return given;
  const bytes = await readInput(given, MAX_SCRIPT_BYTES);
  checkScript(bytes, given);
  return { source: bytes.toString('utf8') };
}
