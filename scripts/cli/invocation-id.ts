/**
 * An invocation's id may begin with `-` (nanoid), and a parser takes it for options. Those of a replay of many have a
 * number at their end.
 */
const DASHED_ID = /^-[\w-]{20}(?:-\d+)?$/;
const MARK = 'id:';
/** Options whose value follows, and may look the same. */
const TAKES_ANYTHING = new Set(['--token', '--data']);

/** Marks the ids among the words of a command line, so that they are taken for what they are. */
export function markIds(words: readonly string[]): string[] {
  return words.map((word, i) =>
    DASHED_ID.test(word) && !TAKES_ANYTHING.has(words[i - 1] ?? '') ? `${MARK}${word}` : word,
  );
}

/** Parser of an id, for commander. */
export function invocationId(given: string): string {
  return given.startsWith(MARK) ? given.slice(MARK.length) : given;
}
