import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

const COMMANDS: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'sudo apt-get install -y redis-server (Debian, Ubuntu), or the same from your distribution',
  darwin: 'brew install redis',
};
const ELSEWHERE = 'https://valkey.io/download';

/**
 * Installs Redis where that can be done without asking: as root on Debian and Ubuntu.
 *
 * @throws Error that says how to get Redis, when it cannot be done or fails
 */
export async function installRedis(env: NodeJS.ProcessEnv): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) throw missing();
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  // The package must not start a server of its own: systemctl starts nothing while it is told to be offline
  // (systemctl(1), SYSTEMD_OFFLINE), and nothing of System V starts in runlevel 1 (invoke-rc.d(8)).
  const inert = { ...quiet, SYSTEMD_OFFLINE: '1', RUNLEVEL: '1', PREVLEVEL: 'N' };
  say('no Redis found: installing redis-server with apt-get (its own service is not started)');
  await aptGet(['update'], quiet);
  await aptGet(['install', '-y', '--no-install-recommends', 'redis-server'], inert);
}

async function aptGet(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  say(`apt-get ${args.join(' ')}`);
  try {
    // Standard output belongs to whoever called us.
    const child = spawn('apt-get', ['-q', ...args], {
      env,
      stdio: ['ignore', process.stderr, process.stderr],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`apt-get ${args[0]} failed`);
  } catch (error) {
    throw missing(error);
  }
}

function missing(cause?: unknown): Error {
  const command = COMMANDS[process.platform] ?? ELSEWHERE;
  return new Error(
    `Redis is needed, and neither valkey-server nor redis-server is on PATH. Get it: ${command};\n` +
      'or use one that runs already: set REDIS_URL, for instance to redis://127.0.0.1:6379',
    { cause },
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
