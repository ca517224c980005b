/**
 * Control characters (C0, C1, DEL) and those that turn the direction of writing: a terminal may obey them, and
 * what tenants and their clients write goes to operators' terminals.
 */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Foreign text as a terminal can show it: new lines and tabs stay, what it might obey becomes `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** `printable` for text that has to stay on one line. */
export function printableLine(text: string): string {
  return printable(text.replaceAll('\n', '\\n').replaceAll('\t', '\\t'));
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
