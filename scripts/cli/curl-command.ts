import { isUtf8 } from 'node:buffer';
import { endToEnd, headerValues, type HeaderPair } from '../../shared/headers.ts';
import { printable } from './printable.ts';
import { shellWord, singleQuoted } from './shell.ts';

/** Larger bodies, and those that are not text, do not go onto the command line (Linux takes 128 KiB a word). */
const MAX_INLINE_BYTES = 65_536;
const BASE64_LINE = /.{1,76}/g;

export interface RepeatedRequest {
  readonly method: string;
  /** As the record has it: path and query, or `*`. A code unit a byte. */
  readonly url: string;
  readonly headers: readonly HeaderPair[];
  readonly body: Buffer;
}

/**
 * A command for a POSIX shell that sends a request again: same method, target, headers and body bytes. What curl
 * would add by itself is taken away.
 *
 * @param gateway origin
 * @param bodyFile a file that holds the body; without it, it is part of the command
 */
export function curlCommand(request: RepeatedRequest, gateway: string, bodyFile?: string): string {
  const { method, body } = request;
  const sent = body.length === 0 ? undefined : bodyArgument(body, bodyFile);
  // For HEAD, curl would wait for a body with --request.
  const how = method === 'HEAD' && !sent ? ['--head'] : ['--request', shellWord(method)];
  const lines = [
    ['curl', '--include', '--http1.1', '--path-as-is', '--globoff', ...how],
    ...headerArguments(request).map((header) => ['--header', shellWord(header)]),
    ...(sent ? [sent.argument] : []),
    target(request.url, gateway),
  ].map((words) => words.join(' '));
  const command = lines.join(' \\\n  ');
  return `${sent?.pipe ? sent.pipe(command) : command}\n`;
}

function target(url: string, gateway: string): string[] {
  if (url.startsWith('/')) return [shellWord(`${gateway}${url}`)];
  return ['--request-target', shellWord(url), shellWord(`${gateway}/`)];
}

/** Framing is curl's own. `Name;` is curl's way to send a header without a value, `Name:` to send none. */
function headerArguments({ headers, body }: RepeatedRequest): string[] {
  const own = ['Accept', 'User-Agent', ...(body.length > 0 ? ['Content-Type', 'Expect'] : [])];
  const kept = endToEnd(headers);
  return [
    ...kept.map(([name, value]) => (value === '' ? `${name};` : `${name}: ${value}`)),
    ...own.filter((name) => headerValues(kept, name).length === 0).map((name) => `${name}:`),
  ];
}

interface BodyArgument {
  readonly argument: string[];
  /** Makes the command read the body from before it. */
  readonly pipe?: (command: string) => string;
}

function bodyArgument(body: Buffer, file: string | undefined): BodyArgument {
  if (file !== undefined) return { argument: ['--data-binary', shellWord(`@${file}`)] };
  const text = body.toString('utf8');
  const isText = isUtf8(body) && body.length <= MAX_INLINE_BYTES && printable(text) === text;
  // Unlike the other options, --data-raw has no meaning for a leading @.
  if (isText) return { argument: ['--data-raw', singleQuoted(text)] };
  const lines = body.toString('base64').match(BASE64_LINE) ?? [];
  return {
    argument: ['--data-binary', '@-'],
    pipe: (command) => `base64 -d <<'BODY' |\n${lines.join('\n')}\nBODY\n${command}`,
  };
}
