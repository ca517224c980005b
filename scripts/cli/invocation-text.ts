import { isUtf8 } from 'node:buffer';
import { decodeBody } from '../../shared/body.ts';
import type { HeaderPair } from '../../shared/headers.ts';
import type { InvocationRecord } from './admin-schema.ts';
import { comparisonAsText } from './comparison-text.ts';
import { excerpt } from './excerpt.ts';
import { errorTextOf, outcomeOf } from './outcome-text.ts';
import { printable, printableLine } from './printable.ts';
import type { Frame } from './script-frames.ts';

/** What is shown beside the record itself. */
export interface Details {
  readonly console: readonly { readonly level: string; readonly text: string }[];
  readonly frames: readonly Frame[];
  /** Of the request; `undefined`: it is gone. */
  readonly body: Buffer | undefined;
}

/** An invocation for people to read. */
export function invocationAsText(record: InvocationRecord, details: Details): string {
  const { request, blueprint, answer, replayOf } = record;
  const lines = [
    ...overview(record),
    '',
    'request',
    `  ${request.method} ${printableLine(request.url)}`,
    ...headerLines(request.headers),
    ...redactedLine(request),
    ...bodyLines(request.bodyBytes, details.body),
    'blueprint',
    ...(blueprint
      ? [
          `  ${blueprint.status}${blueprint.key === null ? '' : ` ${printableLine(blueprint.key)}`}`,
          ...headerLines(blueprint.headers),
          ...bodyLines(blueprint.bodyBytes, blueprint.body ? decodeBody(blueprint.body) : undefined),
        ]
      : ['  none']),
    ...errorLines(record, details.frames),
    ...(answer
      ? ['answer', `  ${answer.status}`, ...headerLines(answer.headers), `  body: ${answer.bodyBytes} bytes`]
      : []),
    ...(replayOf?.comparison ? ['comparison', ...comparisonAsText(replayOf.comparison)] : []),
    ...(details.console.length > 0 ? ['console'] : []),
    ...details.console.map(({ level, text }) => indented(`${level}: ${text}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function overview(record: InvocationRecord): string[] {
  const { script, replayOf, replays, timings, limits, attempts } = record;
  const version = script.sha256 === null ? 'none was run' : `${script.bytes} bytes, sha256 ${script.sha256}`;
  const took = Date.parse(record.finishedAt) - Date.parse(record.acceptedAt);
  const rows = [
    ['invocation', record.id],
    ['tenant', record.tenant],
    ['outcome', outcomeOf(record)],
    ['accepted', record.acceptedAt],
    ['finished', `${record.finishedAt} (after ${took} ms)`],
    ['script', `${script.key}, ${version}${script.sha256 && !script.kept ? ', not kept' : ''}`],
    ['times', timings ? figures(timings, (ms) => `${Math.round(ms * 10) / 10} ms`) : 'no runner took it'],
    ['limits', figures(limits, String)],
    ['attempts', String(attempts)],
    ...(replayOf
      ? [['replay of', `${replayOf.id} (script ${replayOf.script}, blueprint ${replayOf.blueprint})`]]
      : []),
    ...(replays.length > 0 ? [['replays', replays.join(' ')]] : []),
  ];
  return rows.map(([name = '', value = '']) => `${name.padEnd(12)}${printableLine(value)}`);
}

function figures(values: Readonly<Record<string, number>>, format: (value: number) => string): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${format(value)}`)
    .join(', ');
}

function headerLines(headers: readonly HeaderPair[]): string[] {
  return headers.map(([name, value]) => `  ${printableLine(name)}: ${printableLine(value)}`);
}

function redactedLine({ redacted, sealed }: InvocationRecord['request']): string[] {
  if (redacted.length === 0) return [];
  const fate = sealed ? 'kept encrypted, a replay sends them' : 'not kept, a replay goes without them';
  return [`  (${redacted.map(printableLine).join(', ')}: ${fate})`];
}

const MAX_SHOWN = 2000;

function bodyLines(size: number, body: Buffer | undefined): string[] {
  if (size === 0) return [];
  if (!body) return [`  body: ${size} bytes, not kept`];
  if (!isUtf8(body)) return [`  body: ${size} bytes, not text`];
  const text = body.toString();
  const isLong = text.length > MAX_SHOWN;
  return [
    `  body: ${size} bytes${isLong ? `, the first ${MAX_SHOWN} characters` : ''}`,
    indented(isLong ? text.slice(0, MAX_SHOWN) : text),
  ];
}

/** Innermost frames get their source line. */
const FRAMES_WITH_SOURCE = 3;

function errorLines({ error }: InvocationRecord, frames: readonly Frame[]): string[] {
  if (!error) return [];
  return [
    'error',
    indented(errorTextOf(error)),
    ...frames.flatMap((frame, i) => frameLines(frame, i < FRAMES_WITH_SOURCE)),
  ];
}

function frameLines(frame: Frame, withSource: boolean): string[] {
  const place = `index.js:${frame.line}:${frame.column}`;
  const line = `  at ${frame.function === null ? place : `${printableLine(frame.function)} (${place})`}`;
  if (!withSource || frame.source === null) return [line];
  return [line, indented(printable(excerpt(frame.source, { line: 1, column: frame.column })))];
}

function indented(text: string): string {
  return printable(text).replaceAll(/^/gm, '  ');
}
