import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RunInputs } from '../../runner/run.ts';
import { runLocally, type Limits, type LocalRun } from './run-local.ts';

/** A run that can be repeated on this machine: what goes in, and the limits. */
export interface Fixture extends RunInputs {
  readonly limits: Limits;
}

const headers = z.array(z.tuple([z.string(), z.string()]));
const requestSchema = z.object({ method: z.string(), url: z.string(), headers });
const blueprintSchema = z.object({ status: z.number(), headers });
const limitsSchema = z.record(z.string(), z.union([z.number(), z.string()]));

/** Bodies have files of their own, so that they are what they are, byte for byte. */
const FILES = {
  request: 'request.json',
  requestBody: 'request.body',
  blueprint: 'blueprint.json',
  blueprintBody: 'blueprint.body',
  script: 'script.js',
  limits: 'limits.json',
} as const;

/** Writes a fixture's files into a folder, which is made if it is not there. Readable for their owner alone. */
export async function writeFixtureFiles(folder: string, fixture: Fixture): Promise<void> {
  const { request, blueprint, script, limits } = fixture;
  const { body: requestBody, ...requestHead } = request;
  const { body: blueprintBody, ...blueprintHead } = blueprint;
  await mkdir(folder, { recursive: true });
  const contents: Record<keyof typeof FILES, Buffer | string> = {
    request: json(requestHead),
    requestBody,
    blueprint: json(blueprintHead),
    blueprintBody,
    script,
    limits: json(limits),
  };
  for (const [name, content] of Object.entries(contents))
    await writeFile(join(folder, FILES[name as keyof typeof FILES]), content, { mode: 0o600 });
}

/** @throws Error when a file is missing, or is not what it should be */
export async function readFixture(folder: string): Promise<Fixture> {
  const read = (name: keyof typeof FILES): Promise<Buffer> => readFile(join(folder, FILES[name]));
  const parsed = async <S extends z.ZodType>(name: keyof typeof FILES, schema: S): Promise<z.output<S>> =>
    schema.parse(JSON.parse((await read(name)).toString()));
  return {
    request: { ...(await parsed('request', requestSchema)), body: await read('requestBody') },
    blueprint: { ...(await parsed('blueprint', blueprintSchema)), body: await read('blueprintBody') },
    script: await read('script'),
    limits: await parsed('limits', limitsSchema),
  };
}

/** Runs a fixture in a sandbox on this machine. */
export async function runFixture(folder: string): Promise<LocalRun> {
  const { limits, ...inputs } = await readFixture(folder);
  return runLocally(inputs, limits);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
