/**
 * How a gateway tells the runners that the client of a running invocation has gone. A message, which reaches the
 * runner that works on it; and a mark with an end, for the runner that is given the job a second time.
 */
export function abandonedChannel(prefix: string): string {
  return `${prefix}:abandoned`;
}

export function abandonedMark(prefix: string, id: string): string {
  return `${prefix}:abandoned:${id}`;
}
