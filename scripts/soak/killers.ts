import { setTimeout as delay } from 'node:timers/promises';
import type { SoakOptions } from './options.ts';
import { sandboxesOf } from './processes.ts';
import type { SoakSystem } from './system.ts';

export interface Kills {
  sandboxes: number;
  runners: number;
}

/** Kills a sandbox and a runner now and then. @returns stops it, and waits until every runner is back */
export function startKilling(
  system: SoakSystem,
  options: SoakOptions,
  random: () => number,
): { kills: Kills; stop: () => Promise<void> } {
  const kills = { sandboxes: 0, runners: 0 };
  const stopped = new AbortController();
  const pick = <T>(of: readonly T[]): T | undefined => of[Math.floor(random() * of.length)];
  const every = async (ms: number, strike: () => Promise<void> | void): Promise<void> => {
    if (ms === 0) return;
    for (;;) {
      await delay(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      await strike();
    }
  };
  const killSandbox = (): void => {
    const pid = pick(system.runners.flatMap(sandboxesOf));
    if (pid !== undefined && killProcess(pid)) kills.sandboxes++;
  };
  const killRunner = async (): Promise<void> => {
    kills.runners++;
    await system.replaceRunner(kills.runners % system.runners.length);
  };
  const all = Promise.all([
    every(options.killSandboxMs, killSandbox),
    every(options.killRunnerMs, killRunner),
  ]);
  return {
    kills,
    async stop() {
      stopped.abort();
      await all;
    },
  };
}

/** @returns false when it had ended by itself */
function killProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
