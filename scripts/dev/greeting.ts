import { get } from './probe.ts';
import type { Settings } from './settings.ts';

/** What to try, a line for each sample: curl's options, the tenant's name, path and query. */
const TRIES = [
  ['', 'hello', '/world'],
  ['', 'page', '/'],
  [`-d '{"a":1}' -H 'Content-Type: application/json'`, 'echo', '/?b=2'],
  ['-i', 'notes', '/'],
] as const;

/** What runs beside lc500's own processes. */
export interface Surroundings {
  /** One line per embedded service. */
  readonly embedded: readonly string[];
  /** `BLUEPRINT_TARGET` as the runner has it. */
  readonly blueprints: string;
}

/**
 * Asks the first sample, and makes the text that tells how long it took from the start of this process to the
 * answer, what runs where, and what to try.
 */
export async function greeting(settings: Settings, surroundings: Surroundings): Promise<string> {
  const outcome = await askHello(settings.port);
  const origin = `http://127.0.0.1:${settings.port}`;
  return [
    '',
    `lc500 is up: ${outcome}`,
    '',
    ...surroundings.embedded.map((line) => `  ${line}`),
    `  blueprints: ${surroundings.blueprints}`,
    `  readiness:  http://127.0.0.1:${settings.adminPort}/readyz`,
    '',
    '  In a browser:',
    `    http://hello.localhost:${settings.port}/`,
    `    http://page.localhost:${settings.port}/`,
    // Not every curl knows that *.localhost is this machine; the Host header does it everywhere.
    '  In a shell:',
    ...TRIES.map(([options, name, path]) => `    ${curl(options, name, `${origin}${path}`)}`),
    '',
    '  What failed is kept:   npx lc500 invocations list',
    '  Edit scripts/samples/*/index.js: the next request runs what you saved. Ctrl-C stops everything.',
    '\n',
  ].join('\n');
}

async function askHello(port: number): Promise<string> {
  try {
    const { status } = await get(port, 'hello.localhost', '/');
    if (status !== 200) return `but hello.localhost answers ${status}`;
    return `first answer ${(performance.now() / 1000).toFixed(2)} s after the start`;
  } catch (error) {
    return `but hello.localhost does not answer: ${(error as Error).message}`;
  }
}

function curl(options: string, name: string, url: string): string {
  const quoted = url.includes('?') ? `'${url}'` : url;
  return ['curl', options, `-H 'Host: ${name}.localhost'`, quoted].filter(Boolean).join(' ');
}
