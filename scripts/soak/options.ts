import { parseArgs } from 'node:util';

/** How a soak is run. */
export interface SoakOptions {
  readonly requests: number;
  readonly connections: number;
  readonly gateways: number;
  readonly runners: number;
  readonly sandboxes: number;
  /** Milliseconds between kills; 0: none. */
  readonly killSandboxMs: number;
  readonly killRunnerMs: number;
  /** Decides the mix of requests and who is killed. */
  readonly seed: number;
  /** Where the output of gateways and runners goes; `undefined`: nowhere. */
  readonly logs: string | undefined;
}

const DEFAULTS = {
  requests: '100000',
  connections: '16',
  gateways: '2',
  runners: '3',
  sandboxes: '2',
  'kill-sandbox': '200',
  'kill-runner': '10000',
  seed: '1',
} as const;

/** @throws TypeError for an option that does not exist, or that is no number */
export function readOptions(args: string[]): SoakOptions {
  const options: Record<string, { type: 'string'; default?: string }> = { logs: { type: 'string' } };
  for (const [name, value] of Object.entries(DEFAULTS)) options[name] = { type: 'string', default: value };
  const { values } = parseArgs({ args, options, strict: true });
  const of = (name: keyof typeof DEFAULTS): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 0) throw new TypeError(`--${name} must be a whole number`);
    return value;
  };
  return {
    requests: of('requests'),
    connections: of('connections'),
    gateways: of('gateways'),
    runners: of('runners'),
    sandboxes: of('sandboxes'),
    killSandboxMs: of('kill-sandbox'),
    killRunnerMs: of('kill-runner'),
    seed: of('seed'),
    logs: values['logs'],
  };
}
