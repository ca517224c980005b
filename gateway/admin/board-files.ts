import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { Middleware } from 'koa';

/**
 * Serves the files below a directory, under a path. They are listed once, so that no name that a client makes up
 * reaches the file system.
 *
 * @param prefix of the URLs' paths, without a slash at its end
 */
export function boardFiles(prefix: string, directory: string): Middleware {
  const files = new Map(
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => extname(name) !== '')
      .map((name) => [`${prefix}/${name.split(sep).join('/')}`, join(directory, name)]),
  );
  return async (ctx, next) => {
    const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? files.get(ctx.path) : undefined;
    if (file === undefined) return next();
    ctx.body = await readFile(file);
    ctx.type = extname(file);
  };
}

/**
 * The page of bull-board: a template with values put in and nothing else, which is why no engine is needed.
 *
 * @param values strings by name; `<%= name %>` is escaped, `<%- name %>` is not
 * @throws Error when the template has a tag that is not a value
 */
export function renderPage(file: string, values: Readonly<Record<string, string | undefined>>): string {
  return readFileSync(file, 'utf8').replaceAll(/<%(.*?)%>/gs, (_tag, inner: string) => {
    const [, how, name] = /^([=-])\s*(\w+)\s*$/.exec(inner) ?? [];
    const value = name === undefined ? undefined : values[name];
    if (value === undefined) throw new Error(`${file}: <%${inner}%> is not understood`);
    return how === '=' ? escapeHtml(value) : value;
  });
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
