/** Rows as text in columns; a column of numbers stands to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  const numeric = widths.map((_, i) => rows.slice(1).every((row) => /^\d+$/.test(row[i] ?? '')));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  '),
  );
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}
