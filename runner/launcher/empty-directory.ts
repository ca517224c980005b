import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A directory with nothing in it, for sandboxes to stand in; the same for all runners of a user, so that none is
 * left behind by one that was killed. Made anew where the system has tidied it away. Where somebody else has taken its place it is the root directory.
 */
export function emptyDirectory(): string {
  const user = process.getuid?.() ?? 0;
  const path = join(tmpdir(), `lc500-empty-${user}`);
  mkdirSync(path, { recursive: true, mode: 0o555 });
  const found = lstatSync(path);
  const isOurs = found.isDirectory() && found.uid === user && readdirSync(path).length === 0;
  return isOurs ? path : '/';
}
