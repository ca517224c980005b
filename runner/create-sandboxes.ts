import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/log.ts';
import { CodeCache } from './code-cache.ts';
import { detectLauncher } from './launcher/detect.ts';
import type { Launcher } from './launcher/launcher.ts';
import { detectNiceness } from './launcher/niceness.ts';
import type { Level } from './launcher/walls.ts';
import { Sandboxes } from './sandboxes.ts';

/** Sandboxes that are not started yet, and what they will have around them. */
export interface CreatedSandboxes {
  readonly sandboxes: Sandboxes;
  readonly codeCache: CodeCache;
  /** To be closed after both. */
  readonly launcher: Launcher;
  readonly level: Level;
  /** Why not a higher level, a sentence each. */
  readonly missing: readonly string[];
  /** Whether scripts that run for long give way to everything else. */
  readonly givesWay: boolean;
}

/**
 * Makes a runner's sandboxes as its configuration has them, behind the highest walls that the machine allows.
 *
 * @throws Error when the level that the configuration names cannot be had
 */
export async function createSandboxes(config: Config, log: Logger): Promise<CreatedSandboxes> {
  const { SANDBOX_V8_FLAGS: v8Flags, SANDBOX_GRANTS: grants, SANDBOX_CLOCK_MS: clockMs } = config;
  const engine = { v8Flags, grants, clockMs };
  const { launcher, missing } = await detectLauncher(config.SANDBOX_LAUNCHER, config.SANDBOX_UID, engine);
  const niceness = config.LONG_RUN_NICE > 0 ? detectNiceness(config.LONG_RUN_NICE) : undefined;
  const limits = {
    niceness,
    scriptMemoryMb: config.SCRIPT_MEMORY_MB,
    residentLimit: config.SANDBOX_MEMORY_MB * 1_048_576,
    // A code unit of the body takes up to three bytes; the rest is head and console log.
    frameLimit: 3 * config.MAX_RESPONSE_BYTES + 4 * 1_048_576,
  };
  const { RUNNER_SANDBOXES: size, SPARE_SANDBOXES: spare } = config;
  const sandboxes = new Sandboxes({ size, spare, launcher, limits, log });
  const codeCache = new CodeCache(launcher, limits, log);
  const givesWay = niceness !== undefined;
  return { sandboxes, codeCache, launcher, level: launcher.level, missing, givesWay };
}
