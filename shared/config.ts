import type { z } from 'zod';
import type { BlueprintSource } from './config/kinds.ts';
import { VARIABLES, type Variable } from './config/variables.ts';

type Name = keyof typeof VARIABLES;
type Parsed<N extends Name> = z.output<(typeof VARIABLES)[N]['schema']>;
type Value<N extends Name> = (typeof VARIABLES)[N]['default'] extends undefined
  ? Parsed<N> | undefined
  : Parsed<N>;

/** Validated environment, by the variables' own names. */
export type Config = { readonly [N in Exclude<Name, 'BLUEPRINT_TARGET'>]: Value<N> } & {
  readonly BLUEPRINT_TARGET: BlueprintSource;
};

/** All that is wrong with an environment, one line a problem, secrets masked. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the environment is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads and validates the whole environment at once. An empty value counts as unset.
 *
 * @param required names that this process cannot do without
 * @throws ConfigError naming every bad variable
 */
export function loadConfig(env: NodeJS.ProcessEnv, required: readonly Name[] = []): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = { BLUEPRINT_TARGET: { kind: 'none' } };
  for (const [name, variable] of Object.entries<Variable>(VARIABLES)) {
    const given = env[name] || variable.default;
    if (given === undefined) {
      if (required.includes(name as Name)) problems.push(`${name} is not set: expected ${variable.expected}`);
      continue;
    }
    const result = variable.schema.safeParse(given);
    if (result.success) values[name] = result.data;
    else
      problems.push(
        `${name}=${variable.secret ? '***' : JSON.stringify(given)}: expected ${variable.expected}`,
      );
  }
  const config = values as Config;
  if (problems.length === 0) problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/** Which number may not be over which other. */
const NO_MORE_THAN = [
  ['SCRIPT_TIMEOUT_MS', 'REQUEST_DEADLINE_MS'],
  ['ASYNC_TIMEOUT_MS', 'ASYNC_DEADLINE_MS'],
  ['HEADERS_TIMEOUT_MS', 'REQUEST_TIMEOUT_MS'],
  ['MIN_RUNNERS', 'MAX_RUNNERS'],
] as const;
/** What a sandbox's process takes beside its script's heap at least, MiB. */
const PROCESS_MB = 64;

function contradictions(config: Config): string[] {
  const problems: string[] = NO_MORE_THAN.filter(([name, most]) => config[name] > config[most]).map(
    ([name, most]) => `${name}=${config[name]}: expected no more than ${most} (${config[most]})`,
  );
  const least = config.SCRIPT_MEMORY_MB + PROCESS_MB;
  if (config.SANDBOX_MEMORY_MB < least)
    problems.push(
      `SANDBOX_MEMORY_MB=${config.SANDBOX_MEMORY_MB}: expected at least SCRIPT_MEMORY_MB + ${PROCESS_MB} (${least})`,
    );
  if (Boolean(config.AWS_ACCESS_KEY_ID) !== Boolean(config.AWS_SECRET_ACCESS_KEY))
    problems.push('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: expected both or neither');
  if (config.AUTOSCALE_ADAPTER === 'heroku' && !(config.HEROKU_APP && config.HEROKU_API_TOKEN))
    problems.push('HEROKU_APP and HEROKU_API_TOKEN: expected both with AUTOSCALE_ADAPTER=heroku');
  return problems;
}
