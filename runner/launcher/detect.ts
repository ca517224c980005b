import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { DEFAULT_ENGINE, type Engine } from '../../shared/engine.ts';
import { encodeFrame, FrameReader } from '../sandbox/frame.ts';
import { Launcher } from './launcher.ts';
import { spawnSandbox } from './spawn.ts';
import { LEVELS, wallsOf, type Level, type Tools } from './walls.ts';

/** Bytes; one has half a mebibyte. */
const SNAPSHOT_LIMIT = 16 * 1_048_576;

export interface Detection {
  readonly launcher: Launcher;
  /** Why not a higher level, a sentence each. */
  readonly missing: readonly string[];
}

/**
 * Finds the highest level that works on this machine, by starting a sandbox at each until one is ready.
 *
 * @param wanted a level that must be had, or `auto`
 * @param firstUserId of 4,096 that sandboxes run as, where the runner is root
 * @param engine how V8 is set up in them
 * @throws Error when the level that is wanted does not work here, with the reason
 */
export async function detectLauncher(
  wanted: Level | 'auto',
  firstUserId: number,
  engine: Engine = DEFAULT_ENGINE,
): Promise<Detection> {
  const tools = { setpriv: has('setpriv', '--no-new-privs'), prlimit: has('prlimit', '--core=0') };
  const missing: string[] = [];
  for (const level of wanted === 'auto' ? LEVELS.toReversed() : [wanted]) {
    const launcher = new Launcher(level, wallsOf(level, tools, isRoot()), { firstUserId, engine });
    const problem = lacking(level, tools) ?? (await tryOut(launcher));
    if (problem === undefined) return { launcher, missing };
    missing.push(`${level}: ${problem}`);
  }
  throw new Error(`sandboxes cannot be started (SANDBOX_LAUNCHER=${wanted}): ${missing.join('; ')}`);
}

function lacking(level: Level, tools: Tools): string | undefined {
  if (level === 'process') return undefined;
  if (!tools.setpriv) return 'setpriv (util-linux) is not there';
  if (level === 'user' && !isRoot()) return 'only a runner that is root can change the user';
  if (level === 'namespaced' && !has('bwrap', '--version', [])) return 'bubblewrap is not there';
  if (level === 'namespaced' && !existsSync(`/proc/${process.pid}/task/${process.pid}/children`))
    return 'the kernel does not tell the children of a process';
  return undefined;
}

/** Has the launcher's snapshot made by the first sandbox. @returns what went wrong */
async function tryOut(launcher: Launcher): Promise<string | undefined> {
  const child = spawnSandbox(launcher.sandbox(8, 'snapshot'));
  try {
    const pipe = child.stdio[3] as Duplex;
    pipe.on('error', () => undefined);
    const [sent, said, [code, signal]] = await Promise.all([
      buffer(pipe),
      text(child.stderr as NodeJS.ReadableStream),
      once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    const [frame] = new FrameReader(SNAPSHOT_LIMIT).push(sent);
    if (code === 0 && frame?.[0]) {
      launcher.greeting = encodeFrame(frame);
      return undefined;
    }
    return said.trim().split('\n', 1)[0] || `the sandbox ended with ${signal ?? code}`;
  } catch (error) {
    return String(error);
  }
}

/** Whether a tool is there and knows an option: busybox has some of the names. */
function has(tool: string, option: string, command: readonly string[] = ['true']): boolean {
  return spawnSync(tool, [option, ...command], { stdio: 'ignore' }).status === 0;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
