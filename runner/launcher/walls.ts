import { FILTER_FD } from '../spawner/command.ts';
import { nodeFiles, sandboxFiles } from './room.ts';
import { seccompProgram } from './seccomp.ts';

/**
 * How strong the walls around a sandbox are. Each level has those of the one before.
 *
 * - `process`: a process with no environment, descriptors or limits to speak of, as the runner's user
 * - `user`: as an unprivileged user of its own
 * - `namespaced`: in namespaces of its own, with nothing mounted but Node and the sandbox's code, read-only, no
 *   network, no other process in sight, and a seccomp filter
 */
export const LEVELS = ['process', 'user', 'namespaced'] as const;
export type Level = (typeof LEVELS)[number];

/** What a level puts before the command. */
export interface Walls {
  readonly prefix: (userId: number | undefined) => string[];
  readonly changesUser: boolean;
  /** Whether the sandbox is a descendant of the command, and no longer the same process. */
  readonly forks: boolean;
  /** To be read by the command from `FILTER_FD`. */
  readonly filter: Buffer | undefined;
}

/** Which of util-linux's tools there are. */
export interface Tools {
  readonly setpriv: boolean;
  readonly prlimit: boolean;
}

export function wallsOf(level: Level, tools: Tools, isRoot: boolean): Walls {
  const changesUser = isRoot && level !== 'process';
  const namespaced = level === 'namespaced';
  const filter = namespaced ? seccompProgram() : undefined;
  const room = namespaced ? [...DEAF, ...bubblewrap(filter !== undefined)] : [];
  return {
    prefix: (userId) => [
      ...(tools.prlimit ? limits(changesUser) : []),
      ...(tools.setpriv ? privileges(isRoot, userId) : []),
      ...room,
    ],
    changesUser,
    forks: namespaced,
    filter,
  };
}

/**
 * No core dumps, no byte into any file, few descriptors; and few threads, where no other process counts among
 * them.
 */
function limits(ownUser: boolean): string[] {
  return ['prlimit', '--core=0', '--fsize=0', '--nofile=256', ...(ownUser ? ['--nproc=64'] : [])];
}

/**
 * The kernel kills a sandbox when what started it has died, as the spawner kills it when its runner has, even in the
 * middle of a loop that nothing inside the sandbox could end; and the sandbox has no privileges and can gain none.
 */
function privileges(isRoot: boolean, userId: number | undefined): string[] {
  const user = userId === undefined ? [] : [`--reuid=${userId}`, `--regid=${userId}`, '--clear-groups'];
  const capabilities = isRoot ? ['--bounding-set=-all', '--inh-caps=-all'] : [];
  return ['setpriv', ...user, ...capabilities, '--pdeathsig=KILL', '--no-new-privs'];
}

/**
 * Has bubblewrap ignore what is sent to all processes of a terminal, a dyno or a service when these are to end
 * (runner/sandbox/deaf.ts): it would take its sandbox with it. What a shell exports must not get into the room.
 */
const DEAF = ['sh', '-c', 'trap "" INT TERM; exec env -i "$@"', 'sh'];

/**
 * The room: an empty read-only root with no /proc, no /dev and no /tmp.
 *
 * What a session of its own would be for, the filter does, too: nothing in the room can signal the group it is in or
 * change its priority, and there is no way to a terminal. Sandboxes stay in their runner's session then, because the
 * kernel's scheduler gives each session the same part of the processor, whatever the nice values in it (sched(7), "The
 * autogroup feature"): each sandbox would have as much as its runner, and all that was started with that.
 */
function bubblewrap(filtered: boolean): string[] {
  const files = [...new Set([...nodeFiles(), ...sandboxFiles()])];
  return [
    'bwrap',
    '--unshare-all',
    '--die-with-parent',
    ...(filtered ? [] : ['--new-session']),
    '--cap-drop',
    'ALL',
    ...files.flatMap((path) => ['--ro-bind', path, path]),
    '--dir',
    '/empty',
    '--chdir',
    '/empty',
    '--remount-ro',
    '/',
    ...(filtered ? ['--seccomp', String(FILTER_FD)] : []),
    '--',
  ];
}
