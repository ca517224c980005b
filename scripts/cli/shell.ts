/** What needs no quotes in any shell. */
const PLAIN = /^[\w@%+=:,./-]+$/;
/** Printable ASCII, tab and new line: single quotes keep it as it is. */
const QUOTABLE = /^[\t\n\x20-\x7e]*$/;

/**
 * A word of a POSIX shell's command line that stands for exactly these bytes (POSIX.1-2024, 2.2 Quoting).
 *
 * What is not printable ASCII goes through `printf` in octal, so that nothing depends on the terminal's encoding,
 * and no terminal obeys it.
 *
 * @param text a code unit a byte; no NUL, which no argument can hold, and no new line at the end beside bytes that
 *   are not ASCII, which the command substitution would take away
 */
export function shellWord(text: string): string {
  if (PLAIN.test(text)) return text;
  return QUOTABLE.test(text) ? singleQuoted(text) : `"$(printf ${singleQuoted(printfFormat(text))})"`;
}

/** Any printable text as one word; it is to be read as UTF-8. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Octal also for what printf and an interactive shell would see more in: `%`, `\\`, `!`, a leading `-`. */
function printfFormat(text: string): string {
  return Array.from(text, (char, i) => {
    const isPlain = QUOTABLE.test(char) && !'%\\!'.includes(char) && (char !== '-' || i > 0);
    return isPlain ? char : `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  }).join('');
}
