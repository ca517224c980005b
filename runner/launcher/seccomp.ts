import { endianness } from 'node:os';

/** From linux/audit.h and the kernel's syscall tables (x86-64: syscall_64.tbl, arm64: asm-generic/unistd.h). */
const MACHINES: Partial<Record<NodeJS.Architecture, { audit: number; column: 0 | 1 }>> = {
  x64: { audit: 0xc000003e, column: 0 },
  arm64: { audit: 0xc00000b7, column: 1 },
};

/**
 * System calls that a sandbox has no use for, and that lead out of it or deep into the kernel: name, number on
 * x86-64 and on arm64 (-1: there is none). They fail with EPERM.
 */
const DENIED: readonly (readonly [name: string, x64: number, arm64: number])[] = [
  ['socket', 41, 198],
  ['socketpair', 53, 199],
  ['connect', 42, 203],
  ['bind', 49, 200],
  ['listen', 50, 201],
  ['fork', 57, -1],
  ['vfork', 58, -1],
  ['kill', 62, 129],
  ['setpriority', 141, 140],
  ['ioprio_set', 251, 30],
  ['setsid', 112, 157],
  ['setpgid', 109, 154],
  ['ptrace', 101, 117],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['pidfd_open', 434, 434],
  ['pidfd_getfd', 438, 438],
  ['pidfd_send_signal', 424, 424],
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fspick', 433, 433],
  ['mount_setattr', 442, 442],
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['userfaultfd', 323, 282],
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['keyctl', 250, 219],
  ['init_module', 175, 105],
  ['finit_module', 313, 273],
  ['delete_module', 176, 106],
  ['kexec_load', 246, 104],
  ['name_to_handle_at', 303, 264],
  ['open_by_handle_at', 304, 265],
  ['fanotify_init', 300, 262],
  ['inotify_init1', 294, 26],
  ['quotactl', 179, 60],
  ['acct', 163, 89],
  ['syslog', 103, 116],
  ['reboot', 169, 142],
  ['swapon', 167, 224],
  ['swapoff', 168, 225],
  ['settimeofday', 164, 170],
  ['clock_settime', 227, 112],
  ['personality', 135, 92],
  ['iopl', 172, -1],
  ['ioperm', 173, -1],
  ['modify_ldt', 154, -1],
];

/** These fail as if the kernel were too old for them, so that libc and libuv take the ordinary way. */
const UNKNOWN: typeof DENIED = [
  ['clone3', 435, 435],
  ['io_uring_setup', 425, 425],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
];

const CLONE: (typeof DENIED)[number] = ['clone', 56, 220];
const CLONE_THREAD = 0x10000;
/** Numbers from here on belong to x86-64's second calling convention, x32. */
const X32 = 0x40000000;

/** Offsets in `struct seccomp_data` (linux/seccomp.h); the arguments' lower halves, little-endian. */
const DATA = { number: 0, machine: 4, firstArgument: 16 };
/** Instructions of the classic BPF (linux/bpf_common.h): load a word, jump if equal, greater or equal, any bit set; return. */
const OP = { load: 0x20, equal: 0x15, atLeast: 0x35, anyBit: 0x45, return: 0x06 };
const ACTION = { kill: 0x80000000, allow: 0x7fff0000, denied: 0x00050000 | 1, unknown: 0x00050000 | 38 };

/**
 * A seccomp filter for a sandbox, as a program that `bwrap --seccomp` takes: no sockets, no other processes, no
 * mounts, no look into other processes, none of the kernel's rarer doors. Threads stay possible.
 *
 * @returns `undefined` on a machine whose system call numbers are not known here
 */
export function seccompProgram(architecture = process.arch): Buffer | undefined {
  const machine = MACHINES[architecture];
  if (!machine || endianness() !== 'LE') return undefined;
  const answer = (calls: typeof DENIED, action: number): Buffer[] =>
    calls.flatMap(([, ...numbers]) => {
      const number = numbers[machine.column];
      return number < 0 ? [] : [instruction(OP.equal, number, 0, 1), instruction(OP.return, action)];
    });
  return Buffer.concat([
    instruction(OP.load, DATA.machine),
    instruction(OP.equal, machine.audit, 1, 0),
    instruction(OP.return, ACTION.kill),
    instruction(OP.load, DATA.number),
    ...(architecture === 'x64'
      ? [instruction(OP.atLeast, X32, 0, 1), instruction(OP.return, ACTION.unknown)]
      : []),
    ...answer(DENIED, ACTION.denied),
    ...answer(UNKNOWN, ACTION.unknown),
    instruction(OP.equal, CLONE[1 + machine.column] as number, 1, 0),
    instruction(OP.return, ACTION.allow),
    instruction(OP.load, DATA.firstArgument),
    instruction(OP.anyBit, CLONE_THREAD, 1, 0),
    instruction(OP.return, ACTION.denied),
    instruction(OP.return, ACTION.allow),
  ]);
}

/** `struct sock_filter` (linux/filter.h). @param yes instructions to skip when the comparison holds, `no` when not */
function instruction(code: number, operand: number, yes = 0, no = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(yes, 2);
  bytes.writeUInt8(no, 3);
  bytes.writeUInt32LE(operand >>> 0, 4);
  return bytes;
}
