/** The tenants of the benchmark: hostname → script. */
export const HELLO = 'hello.example';
const HELLO_SCRIPT = "setBody('hello');";

export const SIZES = { '1 KB': 1e3, '100 KB': 1e5, '1 MB': 1e6 } as const;
export const BODIES = { 'no body': 0, '10 KB': 1e4, '1 MB': 1e6 } as const;
export const MANY = [1, 100, 1000] as const;

export const sizeHost = (bytes: number): string => `size-${bytes}.example`;
export const responseHost = (bytes: number): string => `response-${bytes}.example`;
export const requestHost = 'request.example';

/** @param count distinct tenants, each with a script of its own */
export function manyHosts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `tenant-${i}.example`);
}

export function scripts(): Map<string, string> {
  const all = new Map([[HELLO, HELLO_SCRIPT]]);
  for (const bytes of Object.values(SIZES)) all.set(sizeHost(bytes), scriptOf(bytes));
  for (const bytes of Object.values(BODIES)) all.set(responseHost(bytes), `setBody('x'.repeat(${bytes}));`);
  all.set(requestHost, 'setBody(String(readRequestBody().length));');
  return all;
}

/** Many tenants, each with a script that differs from all others. */
export function tenantScripts(): Map<string, string> {
  return new Map(manyHosts(Math.max(...MANY)).map((host) => [host, `setBody('hello of ${host}');`]));
}

/** Like a bundle: many functions, of which a request runs a few. */
function scriptOf(bytes: number): string {
  let source = HELLO_SCRIPT;
  for (let i = 0; source.length < bytes; i++) {
    source += `\nfunction part${i}(a, b) { const c = { a, b, name: 'part${i}' }; return JSON.stringify(c) + a * ${i}; }`;
  }
  return `${source}\npart0(1, 2);`;
}
