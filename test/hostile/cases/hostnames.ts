import { requests, type Family, type HostileCase } from '../hostile-case.ts';

const get = (host: string, target = '/'): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${Buffer.from(host).toString('latin1')}\r\nConnection: close\r\n\r\n`;

const hosts = (expected: HostileCase['expected'], names: readonly string[]): HostileCase[] =>
  requests(
    expected,
    Object.fromEntries(names.map((name) => [`Host: ${JSON.stringify(name)}`.slice(0, 80), get(name)])),
  );

export const hostnames: Family = {
  name: 'hostnames',
  cases: [
    ...requests('bad_host', {
      'no Host': 'GET / HTTP/1.1\r\nX-A: 1\r\nConnection: close\r\n\r\n',
      'two Hosts': 'GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\nConnection: close\r\n\r\n',
      'two Hosts of two tenants':
        'GET / HTTP/1.1\r\nHost: HOST\r\nhost: victim.example\r\nConnection: close\r\n\r\n',
      'absolute-form that disagrees': get('HOST', 'http://victim.example/'),
      'absolute-form with a user': get('HOST', 'http://victim.example@HOST/'),
      'absolute-form with another in the port': get('HOST', 'http://HOST:80@victim.example/'),
      'absolute-form without a host': get('HOST', 'http:///victim.example/'),
    }),
    ...hosts('bad_host', [
      '',
      '.',
      '..',
      '...',
      '../../other',
      '..%2f..%2fother',
      'victim.example/..',
      'victim.example/index.js',
      'victim.example\\index.js',
      'victim.example?x',
      'victim.example#x',
      'victim.example;x',
      'victim.example,HOST',
      'victim.example HOST',
      'victim.example\tx',
      'victim.example%00',
      'victim%2eexample',
      'a:80@evil',
      'user@victim.example',
      'victim.example:99999',
      'victim.example:-1',
      'victim.example:80:80',
      'victim.example:x',
      ':80',
      'http://victim.example',
      'a..example',
      '.victim.example',
      '-a.example',
      'a-.example',
      'xn--.example',
      'xn--a\u00e9.example',
      '*.example',
      '1.2.3.4.5',
      '256.256.256.256',
      '::1',
      '[::1',
      '[::1]x',
      '[v1.a]',
      '[fe80::1%25eth0]',
      `${'a'.repeat(64)}.example`,
      `${'a.'.repeat(127)}a`,
      'a\u202eb.example',
      '\u2025.example',
      '\uff0e\uff0e\uff0fvictim',
    ]),
    ...hosts('script_not_found', [
      '__proto__',
      'constructor',
      'tostring.valueof',
      'localhost',
      '127.0.0.1',
      '0x7f000001',
      '[::1]',
      '[0:0:0:0:0:ffff:7f00:1]:8080',
      'nobody.example',
      // Only looks like a slash.
      'a\u2215b.example',
    ]),
    ...requests(
      { status: 200, text: /^GET \/one/ },
      {
        'another case': 'GET /one HTTP/1.1\r\nHost: UPPER\r\nConnection: close\r\n\r\n',
        'a trailing dot': get('HOST.', '/one'),
        'a port': get('HOST:8080', '/one'),
        'absolute-form that agrees': get('HOST', 'http://HOST:80/one'),
      },
    ),
    {
      name: 'other dots and letters',
      act: ({ system, hostname }) => {
        // An ideographic full stop, a full-width letter, and a soft hyphen, which counts for nothing.
        const other = hostname.replaceAll('.', '\u3002').replaceAll('e', '\uff45').replaceAll('o', '\u00ado');
        return system.raw(Buffer.from(`GET /one HTTP/1.1\r\nHost: ${other}\r\nConnection: close\r\n\r\n`));
      },
      expected: { status: 200, text: /^GET \/one/ },
    },
  ],
};
