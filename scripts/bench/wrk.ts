import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Latency } from './statistics.ts';

/** A closed loop: each connection sends its next request when the last was answered. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Asked round-robin. */
  readonly hosts: readonly string[];
  /** Size of a body that is sent with POST, bytes. */
  readonly bodyBytes?: number;
  /** Between an answer and the next request, milliseconds. */
  readonly pause?: number;
}

export interface LoadResult extends Latency {
  readonly requests: number;
  /** Requests per second. */
  readonly rate: number;
  /** Answers other than 2xx and 3xx, and connections that broke. */
  readonly errors: number;
}

/**
 * Puts load on an HTTP server with wrk (https://github.com/wg/wrk), one thread.
 *
 * @throws Error that says how to get wrk when it is missing
 */
export async function runWrk(load: Load): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'lc500-bench-'));
  try {
    const script = join(folder, 'load.lua');
    await writeFile(script, luaOf(load));
    const { connections, seconds, port } = load;
    const sizes = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '30s'];
    const args = [...sizes, '-s', script, `http://127.0.0.1:${port}/`];
    const { stdout } = await promisify(execFile)('wrk', args);
    const line = stdout.split('\n').find((text) => text.startsWith('{')) ?? '';
    const { micros, ...counts } = JSON.parse(line) as { requests: number; errors: number; micros: number };
    return { ...(counts as unknown as LoadResult), rate: counts.requests / (micros / 1e6) };
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    throw new Error('wrk is not installed; on Debian and Ubuntu: apt-get install wrk', { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** wrk's own script: requests made before, the result as one line of JSON. */
function luaOf({ hosts, bodyBytes, pause }: Load): string {
  const method = bodyBytes === undefined ? 'GET' : 'POST';
  return `
    local hosts = { ${hosts.map((host) => JSON.stringify(host)).join(', ')} }
    local body = ${bodyBytes === undefined ? 'nil' : `string.rep("x", ${bodyBytes})`}
    local requests = {}
    local at = 0
    init = function()
      for i, host in ipairs(hosts) do
        requests[i] = wrk.format("${method}", "/", { Host = host }, body)
      end
    end
    request = function()
      at = at % #requests + 1
      return requests[at]
    end
    ${pause === undefined ? '' : `delay = function() return ${pause} end`}
    done = function(summary, latency)
      local e = summary.errors
      io.write(string.format(
        '{"requests":%d,"micros":%d,"errors":%d,"p50":%.4f,"p90":%.4f,"p99":%.4f,"p999":%.4f}\\n',
        summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50) / 1000, latency:percentile(90) / 1000,
        latency:percentile(99) / 1000, latency:percentile(99.9) / 1000))
    end`;
}
