import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { secretsIn } from './secrets.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it came. */
  readonly bytes: Buffer;
}

export interface CliSurroundings {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly input?: string | Buffer;
  /** Another copy of the bin. */
  readonly bin?: string;
  readonly nodeArgs?: readonly string[];
}

export const CLI = fileURLToPath(new URL('../../scripts/lc500.js', import.meta.url));

/** Runs `lc500` as a process of its own, with nothing of this process's environment but `PATH`. */
export async function runCli(args: readonly string[], given: CliSurroundings = {}): Promise<CliResult> {
  const { env = {}, cwd = '/', input = '', bin = CLI, nodeArgs = [] } = given;
  const child = spawn(process.execPath, [...nodeArgs, bin, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  // Whoever ends without reading its input breaks the pipe.
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<number | null>((resolve) => void child.on('close', resolve));
  const [bytes, stderr, code] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
  const spilt = secretsIn(`${bytes.toString()}${stderr}`, env);
  if (spilt.length > 0) throw new Error(`lc500 ${args.join(' ')} printed its ${spilt.join()}`);
  return { code, stdout: bytes.toString(), stderr, bytes };
}
