import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { settingsKeyOf } from '../../runner/callbacks/tenant-settings.ts';
import { scriptKeyOf } from '../../shared/invocation.ts';
import { say } from './ending.ts';

const SAMPLES = join(import.meta.dirname, '../samples');
/** An editor's way of saving makes several events. */
const SETTLE_MS = 50;

/** Where the samples go. */
export interface Bucket {
  readonly s3: S3Client;
  readonly name: string;
}

/** Stores every sample script, and what it has of settings, for the tenant `<name>.localhost`. */
export async function pushSamples(bucket: Bucket): Promise<void> {
  const entries = await readdir(SAMPLES, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  await Promise.all(names.map((name) => push(bucket, name)));
}

/** Stores a sample anew whenever its folder changes, and tells so; disposing it ends that. */
export function watchSamples(bucket: Bucket): Disposable {
  const pending = new Map<string, NodeJS.Timeout>();
  const watcher = watch(SAMPLES, { recursive: true }, (_event, file) => {
    const name = file?.split(sep)[0];
    if (!name) return;
    clearTimeout(pending.get(name));
    pending.set(
      name,
      setTimeout(() => void pushAgain(bucket, name), SETTLE_MS),
    );
  });
  watcher.on('error', (error) => say(`changes of the samples go unnoticed from now on: ${error.message}`));
  return {
    [Symbol.dispose]() {
      watcher.close();
      for (const timer of pending.values()) clearTimeout(timer);
    },
  };
}

async function pushAgain(bucket: Bucket, name: string): Promise<void> {
  try {
    await push(bucket, name);
    say(`${name}.localhost has a new script`);
  } catch (error) {
    // A folder that is being made or removed has no script for the moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    say(`the script of ${name}.localhost could not be stored: ${(error as Error).message}`);
  }
}

async function push({ s3, name: Bucket }: Bucket, name: string): Promise<void> {
  const hostname = `${name}.localhost`;
  const script = await readFile(join(SAMPLES, name, 'index.js'));
  const settings = await readFile(join(SAMPLES, name, 'lc500.json')).catch(() => undefined);
  const ContentType = 'text/javascript; charset=utf-8';
  await s3.send(new PutObjectCommand({ Bucket, Key: scriptKeyOf(hostname), Body: script, ContentType }));
  const Key = settingsKeyOf(hostname);
  if (settings) await s3.send(new PutObjectCommand({ Bucket, Key, Body: settings }));
  else await s3.send(new DeleteObjectCommand({ Bucket, Key }));
}
