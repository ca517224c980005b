import { spawn, spawnSync } from 'node:child_process';
import { buffer } from 'node:stream/consumers';

export interface ShellResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Runs a script in a POSIX shell, from its standard input as a paste would come. */
export async function runShell(script: string, { shell = 'sh' } = {}): Promise<ShellResult> {
  const child = spawn(shell, ['-s'], { cwd: '/', env: { PATH: process.env['PATH'] ?? '' } });
  child.stdin.on('error', () => undefined).end(script);
  const ended = new Promise<number | null>((resolve) => void child.on('close', resolve));
  const [stdout, stderr, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** Whether this machine has curl; the suite asks for nothing that it does not bring. */
export const hasCurl = spawnSync('curl', ['--version']).status === 0;
