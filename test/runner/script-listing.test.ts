import { DeleteObjectCommand, PutObjectCommand, CreateBucketCommand } from '@aws-sdk/client-s3';
import { nanoid } from 'nanoid';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ScriptStore } from '../../runner/script-store.ts';
import { loadConfig, type Config } from '../../shared/config.ts';
import { createS3 } from '../../shared/s3.ts';
import { waitFor } from '../helpers/wait.ts';

const COUNT = 100;
const keys = Array.from({ length: COUNT }, (_, i) => `t${i}.example/index.js`);
const Bucket = `listing-${nanoid(10).toLowerCase().replaceAll('_', 'x')}x`;
let config: Config;
let s3: ReturnType<typeof createS3>;
let store: ScriptStore;
const sent: string[] = [];

beforeAll(async () => {
  config = loadConfig({ ...inject('services'), AWS_BUCKET: Bucket, SCRIPT_REVALIDATE_MS: '600' });
  s3 = createS3(config);
  await s3.send(new CreateBucketCommand({ Bucket }));
  await Promise.all(keys.map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: `// ${Key}` }))));
  s3.middlewareStack.add(
    (next, context) => (args) => {
      sent.push(String(context.commandName));
      return next(args);
    },
    { step: 'initialize' },
  );
  store = new ScriptStore(s3, config, pino({ level: 'silent' }));
});
afterAll(() => {
  store.close();
  s3.destroy();
});

const get = async (key: string): Promise<string> =>
  (await store.get(key, new AbortController().signal)).source.toString();
const getAll = (): Promise<string[]> => Promise.all(keys.map(get));

test('scripts in use are kept fresh by listings, a change or a removal is seen, and few are asked for', async () => {
  await getAll();
  sent.length = 0;
  const end = performance.now() + 3000;
  let rounds = 0;
  for (; performance.now() < end; rounds++) {
    await getAll();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(sent.filter((name) => name === 'ListObjectsV2Command').length).toBeGreaterThan(1);
  // Without listings each would have been asked for three times and more.
  expect(sent.filter((name) => name === 'GetObjectCommand').length).toBeLessThan(2 * COUNT);

  const [changed, removed] = keys as [string, string];
  await s3.send(new PutObjectCommand({ Bucket, Key: changed, Body: 'new' }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: removed }));
  await waitFor('the new version', async () => {
    await getAll().catch(() => undefined);
    return (await get(changed)) === 'new';
  });
  await waitFor('the removal', async () => {
    await Promise.allSettled(keys.map(get));
    return get(removed).then(
      () => false,
      (error: { code?: string }) => error.code === 'script_not_found',
    );
  });
});

test('few scripts are not worth a listing', async () => {
  await new Promise((resolve) => setTimeout(resolve, 700));
  sent.length = 0;
  const few = keys.slice(2, 5);
  for (let i = 0; i < 10; i++) {
    await Promise.all(few.map(get));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(sent).not.toContain('ListObjectsV2Command');
  expect(sent).toContain('GetObjectCommand');
});
