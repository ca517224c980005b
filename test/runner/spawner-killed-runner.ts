import { tmpdir } from 'node:os';
import { Spawner } from '../../runner/spawner/spawner.ts';

/** Has an endless process started (argument: a mark in its command), and is killed before it has taken its pipe. */
const mark = process.argv[2] as string;
const args = ['-c', `while :; do :; done # ${mark}`];
new Spawner().spawn({ command: 'sh', args, cwd: tmpdir(), filter: undefined });
for (const end = performance.now() + 1500; performance.now() < end;);
process.kill(process.pid, 'SIGKILL');
