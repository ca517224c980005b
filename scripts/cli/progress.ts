import { Presets, SingleBar } from 'cli-progress';
import type { ReplayRun } from './admin-schema.ts';

/** How far a replay of many is, on standard error. */
export interface Progress {
  show(run: ReplayRun): void;
  end(): void;
}

const LINE_EVERY_MS = 2000;

/** A bar on a terminal; elsewhere a line now and then, and one at the end. */
export function startProgress(run: ReplayRun): Progress {
  return process.stderr.isTTY ? bar(run) : lines();
}

function bar(run: ReplayRun): Progress {
  const format =
    '{bar} {value}/{total}, {succeeded} answered, {failed} failed, {skipped} left out, {eta_formatted} left';
  const shown = new SingleBar({ format, stream: process.stderr, etaBuffer: 50 }, Presets.shades_classic);
  shown.start(run.total, 0, { ...run });
  return {
    show: (now) => shown.update(ended(now), { ...now }),
    end: () => shown.stop(),
  };
}

function lines(): Progress {
  let lastAt = -Infinity;
  let last = '';
  const tell = (line: string): void => {
    if (line !== last) process.stderr.write(line);
    last = line;
  };
  return {
    show(run) {
      if (run.state === 'running' && performance.now() - lastAt < LINE_EVERY_MS) return;
      lastAt = performance.now();
      tell(
        `${ended(run)}/${run.total}, ${run.succeeded} answered, ${run.failed} failed, ${run.skipped} left out\n`,
      );
    },
    end: () => undefined,
  };
}

function ended({ done, skipped }: ReplayRun): number {
  return done + skipped;
}
