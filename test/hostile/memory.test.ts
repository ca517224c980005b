import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { Sandboxes } from '../../runner/sandboxes.ts';
import { BOMBS, explode } from '../../scripts/bench/memory-bombs.ts';

const MEBIBYTE = 1_048_576;
const CAP = 192 * MEBIBYTE;
/** Some 30 MiB were measured; this is for machines that are busy with other things. */
const OVERSHOOT = 256 * MEBIBYTE;

let sandboxes: Sandboxes;
beforeAll(async () => {
  const limits = { scriptMemoryMb: 64, residentLimit: CAP, frameLimit: MEBIBYTE };
  const { launcher } = await detectLauncher('auto', 61_184);
  sandboxes = new Sandboxes({ size: 1, launcher, limits, log: pino({ level: 'silent' }) });
  await sandboxes.start();
});
afterAll(async () => {
  await sandboxes.close();
});

test.each(Object.entries(BOMBS))(
  '%s: the process ends near its cap and is replaced',
  async (_name, script) => {
    const { outcome, peak, replacedMs } = await explode(sandboxes, script);
    expect(outcome.kind === 'killed' ? outcome.reason : outcome.kind).toBe('memory');
    expect(peak).toBeLessThan(CAP + OVERSHOOT);
    expect(replacedMs).toBeLessThan(10_000);
  },
);
