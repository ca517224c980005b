import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const LOOP = join(import.meta.dirname, 'isolate-loop.ts');

/** Fresh isolates per second, all cores together, one synchronous loop per core. */
export async function isolateFloor(seconds: number): Promise<{ rate: number }> {
  const loops = Array.from({ length: availableParallelism() }, async () => {
    const args = ['--no-node-snapshot', LOOP, String(seconds), '64'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return (JSON.parse(stdout) as { rate: number }).rate;
  });
  const rates = await Promise.all(loops);
  return { rate: rates.reduce((sum, rate) => sum + rate, 0) };
}
