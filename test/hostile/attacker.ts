/** What an attacker who has broken out of V8 is told, so that it need not search. */
export interface Targets {
  readonly runner: number;
  readonly otherSandbox: number;
  /** Readable by the runner's user only. */
  readonly privateFile: string;
  readonly publicFile: string;
  /** In a directory of the runner's. */
  readonly deletableFile: string;
  /** Writable for everybody. */
  readonly writableFile: string;
  readonly redisPort: number;
  readonly storagePort: number;
}

/**
 * Everything that is tried, as in the README's table: true when it worked, else what came in its way.
 *
 * Its source text runs in a process that stands where a sandbox would, so it refers to nothing outside itself.
 * It is written in JavaScript, but does what native code could: the same system calls.
 */
export async function attack(targets: Targets): Promise<Record<string, string | true>> {
  const fs = process.getBuiltinModule('node:fs');
  const net = process.getBuiltinModule('node:net');
  const children = process.getBuiltinModule('node:child_process');
  // A write beyond the limit of file sizes is then an error, no longer the end.
  process.on('SIGXFSZ', () => undefined);

  const connect = (port: number): Promise<true> =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => (socket.destroy(), resolve(true)));
      socket.once('error', reject);
    });
  const listen = (): Promise<true> =>
    new Promise((resolve, reject) => {
      const server = net.createServer();
      server.once('error', reject);
      // Node's permission model throws later, out of nowhere.
      process.once('uncaughtException', reject);
      server.listen(0, '127.0.0.1', () => (server.close(), resolve(true)));
    });
  // The working directory is bubblewrap's own word.
  const inherited = (): string[] => Object.keys(process.env).filter((name) => name !== 'PWD');
  const others = (): number => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length - 1;
  const mayGainPrivileges = (): boolean =>
    /NoNewPrivs:\s*0/.test(fs.readFileSync('/proc/self/status', 'utf8'));
  const childStatus = (): number | null => children.spawnSync(process.execPath, ['--version']).status;

  const attempts: Record<string, () => unknown> = {
    'find anything in its own environment': () => inherited().length > 0,
    'gain privileges through a set-user-id program': () => mayGainPrivileges(),
    'write into a file': () => fs.writeFileSync(targets.writableFile, 'x') ?? true,
    "read its runner's environment": () => fs.readFileSync(`/proc/${targets.runner}/environ`).length > 0,
    'signal its runner': () => process.kill(targets.runner, 0),
    'look into another sandbox': () => fs.readFileSync(`/proc/${targets.otherSandbox}/maps`).length > 0,
    'signal another sandbox': () => process.kill(targets.otherSandbox, 0),
    'read files that only the runner may read': () => fs.readFileSync(targets.privateFile).length > 0,
    "delete the runner's files": () => fs.unlinkSync(targets.deletableFile) ?? true,
    'read files that everybody may read': () => fs.readFileSync(targets.publicFile).length > 0,
    'see what else runs': () => others() > 0,
    'start a program': () => childStatus() === 0,
    'connect to Redis': () => connect(targets.redisPort),
    'connect to the storage': () => connect(targets.storagePort),
    'listen on a port': () => listen(),
  };
  const results: Record<string, string | true> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      results[name] = (await attempt()) === true || 'nothing there';
    } catch (error) {
      results[name] = (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }
  return results;
}
