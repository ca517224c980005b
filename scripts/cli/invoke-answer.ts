import { encodeBody } from '../../shared/body.ts';
import { headerValues } from '../../shared/headers.ts';
import type { Answer } from './invoke-send.ts';

/** Status line, headers, empty line, body: as HTTP/1.1 has them, with plain line ends. */
export function answerAsText({ httpVersion, status, statusText, headers, body }: Answer): Buffer {
  const lines = [
    `HTTP/${httpVersion} ${status} ${statusText}`.trimEnd(),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    '\n',
  ];
  // Node reads header bytes as Latin-1, so this gives them back unchanged.
  return Buffer.concat([Buffer.from(lines.join('\n'), 'latin1'), body]);
}

/** The answer and its times as one JSON object. */
export function answerAsJson(answer: Answer): string {
  const { status, statusText, headers, body, totalMs } = answer;
  const timings = { total: rounded(totalMs), server: serverTimings(answer) };
  const requestId = requestIdOf(answer) ?? null;
  const object = { status, statusText, headers, body: encodeBody(body), requestId, timings };
  return `${JSON.stringify(object, undefined, 2)}\n`;
}

/** The times, for people: measured here, and as the server tells them. */
export function timingsAsText(answer: Answer): string {
  const server = serverTimings(answer).map(({ name, dur, desc }) =>
    [name, dur === undefined ? '' : `${dur} ms`, desc === undefined ? '' : `(${desc})`]
      .filter(Boolean)
      .join(' '),
  );
  const lines = [
    `total: ${rounded(answer.totalMs)} ms, measured here`,
    `Server-Timing: ${server.join(', ') || 'none'}`,
    `X-Request-Id: ${requestIdOf(answer) ?? 'none'}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

interface ServerTiming {
  readonly name: string;
  /** Milliseconds. */
  readonly dur?: number;
  readonly desc?: string;
}

/** `name;dur=1.5;desc="text", …`: https://www.w3.org/TR/server-timing/#the-server-timing-header-field */
function serverTimings({ headers }: Answer): ServerTiming[] {
  const metrics = headerValues(headers, 'server-timing').flatMap((value) => splitOutsideQuotes(value, ','));
  return metrics.filter(Boolean).map((metric) => {
    const [name = '', ...rest] = splitOutsideQuotes(metric, ';');
    const parameters = new Map(rest.map((parameter) => nameAndValue(parameter)));
    const [dur, desc] = [Number(parameters.get('dur') ?? NaN), parameters.get('desc')];
    return { name, ...(Number.isFinite(dur) ? { dur } : {}), ...(desc === undefined ? {} : { desc }) };
  });
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const part = separator === ',' ? /(?:"(?:\\.|[^"\\])*"|[^,"]|")+/g : /(?:"(?:\\.|[^"\\])*"|[^;"]|")+/g;
  return (text.match(part) ?? []).map((found) => found.trim());
}

function nameAndValue(parameter: string): [name: string, value: string] {
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(parameter) ?? [];
  const quoted = /^"(.*)"$/s.exec(value.trim())?.[1];
  return [name.trim().toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? value.trim()];
}

function requestIdOf({ headers }: Answer): string | undefined {
  return headerValues(headers, 'x-request-id')[0];
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
