import { createReadStream } from 'node:fs';
import { CliError } from './errors.ts';

/**
 * All bytes of a file, or of standard input for `-`.
 *
 * @param enough reading stops once there are more bytes than this
 * @throws CliError when it cannot be read
 */
export async function readInput(file: string, enough = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > enough) break;
    }
  } catch (error) {
    throw new CliError(whyUnreadable(inputName(file), error as NodeJS.ErrnoException), { cause: error });
  }
  return Buffer.concat(chunks);
}

/** What messages call it. */
export function inputName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function whyUnreadable(name: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `${name}: there is no such file`;
  if (error.code === 'EISDIR') return `${name}: this is a folder, not a file`;
  if (error.code === 'EACCES') return `${name}: reading it is not permitted`;
  return `${name}: cannot be read: ${error.message}`;
}
