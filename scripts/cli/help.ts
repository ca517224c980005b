import { VARIABLES } from '../../shared/config/variables.ts';
import { DEV_STATE_FILE } from '../dev-state.ts';

interface Topics {
  readonly examples: readonly string[];
  readonly environment: string;
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
}

/** What follows a command's options in its `--help`. */
export function helpTopics(topics: Topics): string {
  return [
    '',
    topics.examples.length === 1 ? 'Example:' : 'Examples:',
    ...topics.examples.map((example) => `  ${example}`),
    '',
    'Environment:',
    topics.environment,
    '',
    'Exit codes:',
    ...topics.exitCodes.map(([code, meaning]) => `  ${code}  ${meaning}`),
  ].join('\n');
}

const STORAGE_VARIABLES = [
  'AWS_BUCKET',
  'AWS_ENDPOINT',
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
] as const;

/** The variables behind every `lc500 script` command. */
export const STORAGE_ENVIRONMENT = [
  ...STORAGE_VARIABLES.map((name) => `  ${name.padEnd(22)} ${VARIABLES[name].meaning}`),
  '',
  '  With both AWS_BUCKET and AWS_ENDPOINT unset, the storage of the `npm run dev` that runs in',
  `  this folder is used (${DEV_STATE_FILE}).`,
].join('\n');

export const EXIT_CODES = [
  [0, 'done'],
  [1, 'failed; the reason is on standard error'],
  [2, 'called wrongly'],
] as const;
