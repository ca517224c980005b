import { encodeJob } from '../../runner/sandbox/protocol.ts';
import type { SandboxOutcome } from '../../runner/sandbox-process.ts';
import type { Sandboxes } from '../../runner/sandboxes.ts';

const TIMEOUT_MS = 10_000;

/** Runs a script in the next free sandbox, with an empty request and blueprint. */
export function runScript(sandboxes: Sandboxes, script: string): Promise<SandboxOutcome> {
  const request = { method: 'GET', url: '/', headers: [] };
  const input = JSON.stringify({ request, blueprint: { status: 200, headers: [] }, maxResponse: 1000 });
  const nothing = Buffer.alloc(0);
  const bodies = { requestBody: nothing, blueprintBody: nothing };
  const job = encodeJob({ input, script: Buffer.from(script), ...bodies, timeoutMs: TIMEOUT_MS });
  return sandboxes.run(job, TIMEOUT_MS, new AbortController().signal, () => undefined);
}
