import { inject, expect, test } from 'vitest';
import { startChild } from '../helpers/child.ts';
import { sendRequest } from '../helpers/http.ts';
import { startSystem } from '../helpers/system.ts';

const TOKEN = 'the-token-of-this-very-test';

/** Beside the passwords: what every process says is looked through at the loudest level. */
test('no secret is in anything that the processes print or answer', async () => {
  const { REDIS_URL } = inject('services');
  const password = 'redis-password-of-this-test';
  const key = 'access-key-id-of-this-test';
  const secret = 'secret-access-key-of-this-test';
  const heard: string[] = [];
  let children;
  {
    await using system = await startSystem({ env: { ADMIN_TOKEN: TOKEN, LOG_LEVEL: 'trace' } });
    await system.deploy('ok.example', 'console.log(Object.getOwnPropertyNames(globalThis)); setBody("ok")');
    await system.deploy(
      'bad.example',
      'throw new Error(String(this.constructor.constructor("return this")()))',
    );
    await system.deploy('bomb.example', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, i)');
    for (const hostname of ['ok.example', 'bad.example', 'bomb.example', 'none.example', '..'])
      heard.push((await system.request({ hostname })).text);
    for (const given of [TOKEN, `${TOKEN}x`]) {
      const headers = [['Authorization', `Bearer ${given}`]] as const;
      heard.push((await sendRequest(system.adminPort, { hostname: 'admin', path: '/any', headers })).text);
    }
    // A runner whose storage knows nothing of its key, and one that cannot reach its Redis.
    await system.addRunner({ AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret });
    for (let i = 0; i < 6; i++) heard.push((await system.request({ hostname: 'ok.example' })).text);
    children = [system.gateway, ...system.runners];
  }
  const unreachable = new URL(REDIS_URL);
  unreachable.port = '1';
  unreachable.password = password;
  const lost = startChild('gateway/main.ts', { REDIS_URL: String(unreachable), LOG_LEVEL: 'trace' });
  await lost.logged('Redis is away; reconnecting');
  const broken = startChild('runner/main.ts', {
    REDIS_URL: `http://:${password}@a`,
    ADMIN_TOKEN: 'short',
    AWS_SECRET_ACCESS_KEY: secret,
  });
  await broken.exit;
  lost.signal('SIGKILL');
  await lost.exit;
  const output = [...children, lost, broken].map((child) => child.output()).join('') + heard.join('');
  for (const word of [TOKEN, password, key, secret, '"short"']) expect(output).not.toContain(word);
  expect(output).toContain('ADMIN_TOKEN=***');
});
