/** Redis key of a replay of many, a hash; what has ended is counted there when it is recorded. */
export function runKeyOf(prefix: string, id: string): string {
  return `${prefix}:records:run:${id}`;
}

/** Redis key of an invocation's record, a hash. */
export function recordKeyOf(prefix: string, id: string): string {
  return `${prefix}:records:one:${id}`;
}

/** Keys of all that records keep in Redis. */
export function keysOf(prefix: string) {
  const base = `${prefix}:records:`;
  return {
    base,
    one: (id: string) => recordKeyOf(prefix, id),
    index: (name: string) => (name === '' ? `${base}all` : `${base}by:${name}`),
    pending: (id: string) => `${base}pending:${id}`,
    run: (id: string) => runKeyOf(prefix, id),
  };
}
