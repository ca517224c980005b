import { expect, test } from 'vitest';
import { seccompProgram } from '../../../runner/launcher/seccomp.ts';

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const KILL = 0x80000000;
const THREAD = 0x7d0f00;

/** Runs a program of the classic BPF as the kernel does: linux/filter.h, the five instructions that are used. */
function decide(program: Buffer, audit: number, number: number, firstArgument = 0): number {
  const data = Buffer.alloc(64);
  [number, audit].forEach((word, i) => data.writeUInt32LE(word, 4 * i));
  data.writeUInt32LE(firstArgument, 16);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const operand = program.readUInt32LE(at + 4);
    const jump = (holds: boolean): void => void (at += 8 * program.readUInt8(at + (holds ? 2 : 3)));
    const code = program.readUInt16LE(at);
    if (code === 0x06) return operand;
    if (code === 0x20) accumulator = data.readUInt32LE(operand);
    else if (code === 0x15) jump(accumulator === operand);
    else if (code === 0x35) jump(accumulator >= operand);
    else if (code === 0x45) jump((accumulator & operand) !== 0);
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program has no end');
}

const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;

test.each([
  ['x64', X64, 'read', 0, 0, ALLOW],
  ['x64', X64, 'execve', 59, 0, ALLOW],
  ['x64', X64, 'socket', 41, 0, EPERM],
  ['x64', X64, 'kill', 62, 0, EPERM],
  ['x64', X64, 'ptrace', 101, 0, EPERM],
  ['x64', X64, 'fork', 57, 0, EPERM],
  ['x64', X64, 'clone of a process', 56, 17, EPERM],
  ['x64', X64, 'clone of a thread', 56, THREAD, ALLOW],
  ['x64', X64, 'clone3', 435, 0, ENOSYS],
  ['x64', X64, 'io_uring_setup', 425, 0, ENOSYS],
  ['x64', X64, 'x32', 0x40000029, 0, ENOSYS],
  ['x64', 0x40000003, 'i386', 0, 0, KILL],
  ['arm64', ARM64, 'read', 63, 0, ALLOW],
  ['arm64', ARM64, 'socket', 198, 0, EPERM],
  ['arm64', ARM64, 'clone of a process', 220, 17, EPERM],
  ['arm64', ARM64, 'clone of a thread', 220, THREAD, ALLOW],
  ['arm64', X64, 'x86-64', 63, 0, KILL],
] as const)('%s %i: %s', (architecture, audit, _name, number, argument, expected) => {
  const program = seccompProgram(architecture) as Buffer;
  expect(decide(program, audit, number, argument)).toBe(expected);
});

test('there is none for other machines', () => expect(seccompProgram('riscv64')).toBeUndefined());
