import { fork, type ChildProcess, type SendHandle } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Command } from './command.ts';
import type { Ending, FromSpawner, ToSpawner } from './messages.ts';
import { SpawnedProcess } from './spawned-process.ts';

const ENTRY = fileURLToPath(new URL('main.ts', import.meta.url));
/** No helper threads: it has one thing to do at a time. About type stripping old versions say that it is new. */
const FLAGS = ['--single-threaded', '--disable-warning=ExperimentalWarning'];

/**
 * A process that starts others for its runner. The kernel copies the page tables of whoever starts a process
 * (fork(2)), and a runner has one thread for all requests: with 200 MB each new sandbox held all of them up for 12 ms,
 * and whoever crashes sandboxes makes many new ones. This one is small and has nobody waiting.
 *
 * It is started when it is first needed, and again when it is needed after it has ended, which ends all that it
 * started.
 */
export class Spawner {
  readonly #spawned = new Map<number, SpawnedProcess>();
  #process: ChildProcess | undefined;
  #lastId = 0;

  /** @throws Error when there is no descriptor left for the spawner itself; all else is told by `ended` */
  spawn(command: Command): SpawnedProcess {
    const process = (this.#process ??= this.#start());
    const id = ++this.#lastId;
    const spawned = new SpawnedProcess(
      (type) => send(process, { type, id }),
      () => process.kill('SIGKILL'),
    );
    this.#spawned.set(id, spawned);
    // The runner does not end while it has such a process, and not because of the spawner alone either.
    process.channel?.ref();
    send(process, { type: 'spawn', id, command });
    return spawned;
  }

  /** Ends it, and all that it started. */
  close(): void {
    this.#process?.stdin?.end();
  }

  #start(): ChildProcess {
    const process = fork(ENTRY, {
      env: {},
      execArgv: FLAGS,
      serialization: 'advanced',
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
    });
    if (!process.channel) {
      // So it is where pipes could not be made; 'error' says the same again.
      process.on('error', () => undefined);
      throw new Error('the process that starts sandboxes could not be given its pipes');
    }
    process.unref();
    process.channel.unref();
    const stdin = process.stdin as Socket;
    // That it breaks is followed by the process's end.
    stdin.on('error', () => undefined).unref();
    process.on('message', (message: FromSpawner, handle) => this.#receive(message, handle));
    process.once('error', (error) => this.#end(process, error));
    process.once('exit', (code, signal) =>
      this.#end(process, new Error(`the process that starts sandboxes ended with ${signal ?? code}`)),
    );
    return process;
  }

  #receive(message: FromSpawner, handle: SendHandle | undefined): void {
    const spawned = this.#spawned.get(message.id);
    const pipe = handle as Socket | undefined;
    // What was on its way when the spawner ended.
    if (!spawned) pipe?.destroy();
    else if (message.type === 'pipe') spawned.take(pipe);
    else if (message.type === 'started') spawned.start(message.pid);
    else if (message.type === 'stderr') spawned.onStderr?.(message.text);
    else this.#forget(message.id, message.ending);
  }

  #forget(id: number, ending: Ending): void {
    this.#spawned.get(id)?.end(ending);
    this.#spawned.delete(id);
    if (this.#spawned.size === 0) this.#process?.channel?.unref();
  }

  #end(process: ChildProcess, error: Error): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    for (const [id, spawned] of this.#spawned) {
      spawned.killOrphan();
      this.#forget(id, { code: null, signal: null, error });
    }
  }
}

/** That it has gone is told by its 'exit'. */
function send(process: ChildProcess, message: ToSpawner): void {
  process.send(message, () => undefined);
}
