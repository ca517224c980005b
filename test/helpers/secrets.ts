import { VARIABLES } from '../../shared/config/variables.ts';

/** The secrets among these variables that a text gives away, by the variables' names. */
export function secretsIn(text: string, env: Readonly<Record<string, string>>): string[] {
  return Object.entries(VARIABLES)
    .filter(([name, variable]) => 'secret' in variable && givesAway(text, env[name] ?? ''))
    .map(([name]) => name);
}

/** Of a URL its password is the secret. */
function givesAway(text: string, value: string): boolean {
  const secret = URL.canParse(value) ? decodeURIComponent(new URL(value).password) : value;
  return secret !== '' && text.includes(secret);
}
