import { createInterface } from 'node:readline/promises';

/** Asks on the terminal; without one there is nobody to ask, and whoever wrote the command meant it. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch {
    // Ctrl-C or Ctrl-D instead of an answer.
    return false;
  } finally {
    terminal.close();
  }
}
