import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../shared/config.ts';
import { RecordBucket } from '../../shared/records/record-bucket.ts';
import { createS3 } from '../../shared/s3.ts';
import { HANG, NONE, startFaultyProxy, type FaultyProxy } from '../helpers/faulty-proxy.ts';
import { startTestS3, type TestS3 } from '../helpers/s3.ts';

let storage: TestS3;
let proxy: FaultyProxy;
beforeAll(async () => {
  storage = await startTestS3();
  proxy = await startFaultyProxy(storage.env['AWS_ENDPOINT'] as string);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await storage[Symbol.asyncDispose]();
});

test('while the bucket gives no answer one object at a time is put, and the others are not waited for', async () => {
  const config = loadConfig({ ...storage.env, AWS_ENDPOINT: proxy.url, UPSTREAM_TIMEOUT_MS: '1000' });
  const s3 = createS3(config, 1);
  const bucket = new RecordBucket(s3, config);
  const put = (name: string) => bucket.put(`.records/a/${name}`, Buffer.from(name));
  proxy.always(HANG);
  await expect(put('first')).rejects.toThrow(/abort/i);
  proxy.forget();
  const tried = put('second');
  await expect(put('third')).rejects.toThrow('does not answer');
  await expect(put('fourth')).rejects.toThrow('does not answer');
  await expect(tried).rejects.toThrow(/abort/i);
  expect(proxy.asked).toHaveLength(1);
  proxy.always(NONE);
  await put('fifth');
  await Promise.all([put('sixth'), put('seventh')]);
  s3.destroy();
});
