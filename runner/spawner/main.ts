// oxlint-disable-next-line import/no-unassigned-import -- a spawner must outlive what sandboxes outlive
import '../sandbox/deaf.ts';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { SANDBOX_FD } from '../sandbox/protocol.ts';
import { spawnCommand, type Command } from './command.ts';
import { SPAWNER_NAME, type Ending, type FromSpawner, type ToSpawner } from './messages.ts';

/** Characters of what one process says on standard error; V8's last words have fewer. */
const STDERR_LIMIT = 2000;

/**
 * Starts sandboxes for its runner, and ends with it, which is when its standard input ends (runner/spawner/spawner.ts
 * says what for). No environment; what it is asked for, and what it says, goes through Node's channel between a process
 * and its child.
 */
const children = new Map<number, ChildProcess>();
process.title = SPAWNER_NAME;
process.on('message', (message: ToSpawner) => {
  if (message.type === 'spawn') start(message.id, message.command);
  else if (message.type === 'taken') tellStarted(message.id);
  else children.get(message.id)?.kill('SIGKILL');
});
// Not 'disconnect', which Node does not tell while a pipe is on its way.
process.stdin.resume().on('end', () => {
  for (const child of children.values()) child.kill('SIGKILL');
  process.exit(0);
});

function start(id: number, command: Command): void {
  const failed = (error: Error): void => end(id, { code: null, signal: null, error });
  try {
    const child = spawnCommand(command);
    children.set(id, child);
    child.once('error', failed);
    child.once('exit', (code, signal) => end(id, { code, signal }));
    if (child.pid === undefined) return;
    forwardStderr(id, child);
    tell({ type: 'pipe', id }, child.stdio[SANDBOX_FD] as Socket);
  } catch (error) {
    failed(error as Error);
  }
}

/** The socket that was sent is closed here when its arrival is acknowledged, which came before this message. */
function tellStarted(id: number): void {
  const pid = children.get(id)?.pid;
  if (pid !== undefined) tell({ type: 'started', id, pid });
}

function forwardStderr(id: number, child: ChildProcess): void {
  let left = STDERR_LIMIT;
  // What is not read would keep the process from ending.
  child.stderr?.on('data', (chunk: Buffer) => {
    const text = chunk.toString().slice(0, left);
    left -= text.length;
    if (text) tell({ type: 'stderr', id, text });
  });
}

function end(id: number, ending: Ending): void {
  children.delete(id);
  tell({ type: 'ended', id, ending });
}

/** That the runner has gone is told by the end of standard input. */
function tell(message: FromSpawner, pipe?: Socket): void {
  process.send?.(message, pipe, {}, () => undefined);
}
