/** Every answer holds its request's marker; nothing else of a request may be seen in another's. */
const ECHO = `setHeader('X-Marker', readRequestHeader('X-Marker')); setBody(readRequestUrl() + ' ' + readRequestBody());`;
const WORK = `const end = Date.now() + 5; while (Date.now() < end); ${ECHO}`;

/** Hostname → script. */
export const TENANTS: ReadonlyMap<string, string> = new Map([
  ['echo.localhost', ECHO],
  ['work.localhost', WORK],
]);
