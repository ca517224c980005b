import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { secretsIn } from './secrets.ts';
import { waitFor } from './wait.ts';

/** A line of a process's structured log. */
export interface LogRecord {
  readonly msg: string;
  readonly level: number;
  readonly [field: string]: unknown;
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One of lc500's own processes, as a child of the test. */
export interface Child {
  readonly pid: number;
  /** Rejects when there was a secret of its environment in what it wrote. */
  readonly exit: Promise<ChildEnd>;
  readonly records: readonly LogRecord[];
  readonly hasEnded: boolean;
  /** What it wrote, both streams, as it came. */
  readonly lines: readonly string[];
  /** All that it wrote. */
  output(): string;
  signal(signal?: NodeJS.Signals): void;
  /** The first record with this message, as soon as it is there. @throws Error when the process ends before */
  logged(msg: string): Promise<LogRecord>;
}

const ROOT = new URL('../../', import.meta.url);
const START_MS = 60_000;

/** Starts `node <entry>` with nothing of this process's environment but `PATH`. @param entry path from the root */
export function startChild(entry: string, env: Readonly<Record<string, string>>): Child {
  const child = spawn(process.execPath, [fileURLToPath(new URL(entry, ROOT))], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const records: LogRecord[] = [];
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('{')) records.push(JSON.parse(line) as LogRecord);
  });
  createInterface(child.stderr).on('line', (line) => lines.push(line));
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let hasEnded = false;
  // 'close' comes after the last output.
  const exit = new Promise<ChildEnd>((resolve, reject) => {
    child.once('close', (code, signal) => {
      hasEnded = true;
      process.removeListener('exit', kill);
      const given = secretsIn(lines.join('\n'), env);
      if (given.length > 0) reject(new Error(`the process printed its ${given.join()}\n${output()}`));
      else resolve({ code, signal });
    });
  });
  const output = (): string => `--- ${entry} (${child.pid})\n${lines.join('\n')}\n`;
  const logged = async (msg: string): Promise<LogRecord> => {
    const find = (): LogRecord | undefined => records.find((record) => record.msg === msg);
    await waitFor(`"${msg}"`, () => find() !== undefined || hasEnded, {
      timeoutMs: START_MS,
      details: output,
    });
    const record = find();
    if (!record) throw new Error(`the process ended without saying "${msg}"\n${output()}`);
    return record;
  };
  return {
    pid: child.pid as number,
    exit,
    records,
    lines,
    get hasEnded() {
      return hasEnded;
    },
    output,
    signal: (signal = 'SIGTERM') => void child.kill(signal),
    logged,
  };
}
