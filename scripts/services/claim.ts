import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 2000;
const POLL_MS = 50;

/** The right to use a data folder alone. */
export interface Claim extends AsyncDisposable {
  /** Names a further process that must be gone before somebody else may use the folder. */
  add(pid: number): Promise<void>;
}

/**
 * Claims a data folder for this process: two servers that write the same files would ruin them.
 * What ended without giving its claim back does not count; what is about to end is waited for, 2 s.
 *
 * @throws Error naming the process that has the folder
 */
export async function claimFolder(folder: string): Promise<Claim> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'claim');
  const giveUp = performance.now() + WAIT_MS;
  while (!(await create(file))) {
    const owner = await liveOwner(file);
    if (owner === undefined) await rm(file, { force: true });
    else if (performance.now() < giveUp) await sleep(POLL_MS);
    else throw new Error(`${folder} is in use by process ${owner} (another npm run dev?): stop that first`);
  }
  return {
    add: async (pid) => appendFile(file, await identity(pid)),
    [Symbol.asyncDispose]: () => rm(file, { force: true }),
  };
}

/** @returns false when the file is there already. */
async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, await identity(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function liveOwner(file: string): Promise<string | undefined> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  for (const line of lines) {
    const pid = line.split(' ')[0] ?? '';
    if (isAlive(Number(pid)) && (await identity(Number(pid))) === `${line}\n`) return pid;
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Process ids are used again; with the start time (Linux: proc_pid_stat(5), field 22) they are unique. */
async function identity(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses and may hold spaces.
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${pid} ${startTime}\n`;
}
