import type { Logger } from '../shared/log.ts';
import type { Launcher } from './launcher/launcher.ts';
import { SandboxProcess, type SandboxLimits } from './sandbox-process.ts';
import { encodeJob } from './sandbox/protocol.ts';

/** Scripts of fewer bytes compile in a fraction of a millisecond. */
export const WORTH_IT_BYTES = 16_384;
/** A script that was run this often is likely to be run again. */
const RUNS_BEFORE = 2;
/** To compile one script, milliseconds. */
const COMPILE_MS = 5000;
const INSPECT_MS = 15;

interface Entry {
  runs: number;
  code: Buffer | undefined;
}

/**
 * What V8 made of scripts when it compiled them, so that an isolate need not do that again
 * (https://v8.dev/blog/code-caching).
 *
 * V8 trusts such code blindly, so it must come from nobody else: each script is compiled, and not run, by a process
 * of its own that has seen no other, and its code is used for that very script alone. Whoever could make that process
 * lie could do as much to the sandboxes that run the script.
 */
export class CodeCache {
  readonly #launcher: Launcher;
  readonly #limits: SandboxLimits;
  readonly #log: Logger;
  /** By the source as the script cache holds it: what it drops is dropped here, too. */
  readonly #entries = new WeakMap<Buffer, Entry>();
  #compiler: SandboxProcess | undefined;
  #closed = false;

  constructor(launcher: Launcher, limits: SandboxLimits, log: Logger) {
    this.#launcher = launcher;
    this.#limits = limits;
    this.#log = log;
  }

  /** The code for a script that is about to be run; `undefined`: there is none, or none yet. */
  of(source: Buffer): Buffer | undefined {
    if (source.length < WORTH_IT_BYTES) return undefined;
    const entry = this.#entries.get(source) ?? { runs: 0, code: undefined };
    if (entry.runs === 0) this.#entries.set(source, entry);
    entry.runs++;
    if (entry.runs >= RUNS_BEFORE && !entry.code && !this.#compiler && !this.#closed)
      this.#compile(source, entry).catch((error: unknown) => {
        entry.runs = 0;
        this.#log.warn({ err: error }, 'no process to compile a script in');
      });
    return entry.code;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#compiler?.kill('closing');
    await this.#compiler?.ended;
  }

  /** One at a time, and giving way: it is no hurry, and the machine has requests to serve. */
  async #compile(source: Buffer, entry: Entry): Promise<void> {
    const compiler = new SandboxProcess(this.#launcher, this.#limits, this.#log, 'compile');
    this.#compiler = compiler;
    const inspector = setInterval(() => compiler.inspect(performance.now()), INSPECT_MS);
    try {
      entry.code = (await compiler.ready) ? await compiled(compiler, source) : undefined;
      // One that does not compile, or takes too much, is not tried again.
      if (!entry.code) entry.runs = -Infinity;
    } finally {
      clearInterval(inspector);
      compiler.kill('closing');
      await compiler.ended;
      this.#compiler = undefined;
    }
  }
}

async function compiled(compiler: SandboxProcess, source: Buffer): Promise<Buffer | undefined> {
  const nothing = Buffer.alloc(0);
  const bodies = { requestBody: nothing, blueprintBody: nothing };
  const job = encodeJob({ input: '{}', script: source, ...bodies, timeoutMs: COMPILE_MS });
  const outcome = await compiler.run(job, COMPILE_MS, true);
  return outcome.kind === 'answer' && outcome.body.length > 0 ? Buffer.from(outcome.body) : undefined;
}
