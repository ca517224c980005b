import { pino } from 'pino';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { Sandboxes } from '../../runner/sandboxes.ts';
import { loadConfig } from '../../shared/config.ts';
import { BOMBS, explode } from './memory-bombs.ts';

/** How far over its cap a sandbox gets before it is killed, and how soon it is replaced. The environment is a runner's. */
const MEBIBYTE = 1_048_576;
const config = loadConfig(process.env, []);
const detection = await detectLauncher(config.SANDBOX_LAUNCHER, config.SANDBOX_UID);
const limits = {
  scriptMemoryMb: config.SCRIPT_MEMORY_MB,
  residentLimit: config.SANDBOX_MEMORY_MB * MEBIBYTE,
  frameLimit: 16 * MEBIBYTE,
};
const log = pino({ level: 'silent' });
const sandboxes = new Sandboxes({ size: 1, launcher: detection.launcher, limits, log });
await sandboxes.start();
console.log(
  `level ${detection.launcher.level}, cap ${config.SANDBOX_MEMORY_MB} MiB, heap ${config.SCRIPT_MEMORY_MB} MiB`,
);
for (const [name, script] of Object.entries(BOMBS)) {
  const { outcome, peak, lastedMs, replacedMs } = await explode(sandboxes, script);
  const reason = 'reason' in outcome ? `${outcome.kind} (${outcome.reason})` : outcome.kind;
  const cells = [
    `${Math.round(peak / MEBIBYTE)} MiB`,
    `${Math.round(lastedMs)} ms`,
    `${Math.round(replacedMs)} ms`,
  ];
  console.log([name, reason, ...cells].join(' | '));
}
await sandboxes.close();
