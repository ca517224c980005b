import { scripts, type Family, type HostileCase } from '../hostile-case.ts';

/** Objects beside and above the tenant's script; none of them may ever be answered with. */
async function beside({ system, hostname }: Parameters<NonNullable<HostileCase['act']>>[0]) {
  const secret = 'setBody("of somebody else")';
  await system.putObject(hostname, secret);
  await system.putObject(`${hostname}/index.js/index.js`, secret);
  await system.putObject(`x${hostname}/index.js`, secret);
  await system.putObject('index.js', secret);
  for (const path of [
    '/index.js',
    '/../index.js',
    '/%2e%2e/index.js',
    `/..%2f${hostname}`,
    '/?versionId=null&list-type=2',
    '//index.js',
  ])
    for (const answer of [
      await system.request({ hostname, path }),
      await system.request({ hostname: `a.${hostname}`, path }),
    ])
      if (answer.text.includes('of somebody else')) return answer;
  return 'clean';
}

export const storage: Family = {
  name: 'storage keys and objects',
  cases: [
    { name: 'paths that look for other objects', act: beside, expected: { status: 200, text: 'clean' } },
    ...scripts(
      { status: 200, text: '' },
      {
        'an empty script': Buffer.alloc(0),
        'a script that is JSON': '{"a":1}'.replace('{"a":1}', '[{"a":1}]'),
        'a script that is a text': '"use strict"',
        'a script behind a byte order mark': '\ufeff;',
      },
    ),
    ...scripts('script_error', {
      'a script of random bytes': Buffer.from(
        Array.from({ length: 4096 }, (_, i) => (i * 167 + (i >> 8)) & 255),
      ),
      'a script in UTF-16': Buffer.from('setBody("a")', 'utf16le'),
      'a script that is HTML': '<!doctype html><p>404',
      'a script that is compressed': Buffer.from('1f8b0800000000000003', 'hex'),
    }),
    ...scripts(
      { status: 200, text: 'ok' },
      {
        'a script that is not UTF-8 in a comment': Buffer.concat([
          Buffer.from('/*'),
          Buffer.from([0xff, 0xfe, 0x80]),
          Buffer.from('*/ setBody("ok")'),
        ]),
        'a script with NULs in a text': `var a = '\0\0'; setBody('ok')`,
      },
    ),
    ...scripts('memory_limit', {
      'a script that is larger than its memory': Buffer.alloc(17 * 1_048_576, ' '),
    }),
  ],
};
