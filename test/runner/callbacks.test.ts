import { expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { messageOf, signedHeaders } from '../../runner/callbacks/message.ts';
import {
  isPublicAddress,
  PrivateAddress,
  publicLookup,
  requirePublicLiteral,
} from '../../runner/callbacks/public-address.ts';
import { CallbackSender } from '../../runner/callbacks/sender.ts';
import { BadSettings, parseSettings } from '../../runner/callbacks/tenant-settings.ts';
import { loadConfig } from '../../shared/config.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const EVENT = { hostname: 'a.example', requestId: 'r', locationId: 'l'.repeat(22), at: 0 };

test.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) =>
  expect(isPublicAddress(address)).toBe(true),
);

test.each([
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '192.0.2.1',
  '192.168.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fe80::1',
  'fe80::1%lo',
  'fd00::1',
  'ff02::1',
  '2001:db8::1',
  '::ffff:127.0.0.1',
  '::7f00:1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:0:1::',
  'fec0::1',
  '::ffff:0:127.0.0.1',
  '4000::1',
  '',
  'localhost',
])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

test.each([
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://[::1]/',
])('%s is a private address, however it is written', (url) =>
  expect(() => requirePublicLiteral(new URL(url))).toThrow(PrivateAddress),
);

const lookUp = (addresses: string[], all: boolean): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    publicLookup((_name, _options, done) => done(null, found))('name', { all }, (error, ...answer) =>
      error ? reject(error) : resolve(answer),
    );
  });

test('a connection gets just the addresses that were checked', async () => {
  expect(await lookUp(['1.1.1.1', '2606:4700::1'], true)).toEqual([
    [
      { address: '1.1.1.1', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ],
  ]);
  expect(await lookUp(['1.1.1.1', '2606:4700::1'], false)).toEqual(['1.1.1.1', 4]);
});

test('a name with one private address is refused, and one with none', async () => {
  await expect(lookUp(['1.1.1.1', '10.0.0.1'], true)).rejects.toBeInstanceOf(PrivateAddress);
  await expect(lookUp(['::1'], false)).rejects.toBeInstanceOf(PrivateAddress);
  await expect(lookUp([], true)).rejects.toThrow('no address');
});

test('a sender refuses http, private addresses, and names that lead to them', async () => {
  const sender = new CallbackSender(loadConfig({}));
  const send = (url: string): Promise<void> => sender.send(url, {}, '{}');
  await expect(send('http://example.com/')).rejects.toThrow('not https');
  await expect(send('https://127.0.0.1:1/')).rejects.toBeInstanceOf(PrivateAddress);
  await expect(send('https://[::ffff:127.0.0.1]:1/')).rejects.toBeInstanceOf(PrivateAddress);
  await expect(send('https://localhost:1/')).rejects.toBeInstanceOf(PrivateAddress);
  await sender.close();
});

test('the signature is that of Standard Webhooks', () => {
  const body = messageOf(EVENT, { kind: 'failure', code: 'script_error' });
  const headers = signedHeaders(SECRET, 'msg_r', Date.now(), body);
  expect(new Webhook(SECRET).verify(body, headers)).toEqual({
    type: 'invocation.done',
    timestamp: '1970-01-01T00:00:00.000Z',
    data: {
      requestId: 'r',
      hostname: 'a.example',
      location: `/.well-known/lc500/invocations/${EVENT.locationId}`,
      answer: `/.well-known/lc500/invocations/${EVENT.locationId}/answer`,
      status: 500,
      code: 'script_error',
    },
  });
  expect(() => new Webhook(SECRET).verify(`${body} `, headers)).toThrow('No matching signature');
});

test('bytes travel as base64, and a large body is left at the location', () => {
  const data = (body: Buffer): unknown =>
    JSON.parse(
      messageOf(EVENT, { kind: 'response', response: { status: 200, headers: [['A', 'b']], body } }),
    );
  expect(data(Buffer.from([0xff]))).toMatchObject({
    data: { status: 200, headers: [['A', 'b']], body: { encoding: 'base64', data: '/w==' } },
  });
  expect(data(Buffer.alloc(262_145))).toMatchObject({ data: { body: null } });
});

test.each([
  '',
  '[]',
  '{"callback":{}}',
  `{"callback":{"url":"https://a.example/","secret":"short"}}`,
  `{"callback":{"url":"https://a.example/","secret":"whsec_${'A'.repeat(200)}"}}`,
  `{"callback":{"url":"ftp://a.example/","secret":"${SECRET}"}}`,
  `{"callback":{"url":"https://me:pw@a.example/","secret":"${SECRET}"}}`,
  `{"callback":{"url":"/hook","secret":"${SECRET}"}}`,
])('%s is no settings', (text) => {
  expect(() => parseSettings(text)).toThrow(BadSettings);
});

test('settings without a callback, and with one', () => {
  const callback = { url: 'https://a.example/hook', secret: SECRET };
  expect(parseSettings('{"other":1}')).toEqual({});
  expect(parseSettings(JSON.stringify({ callback }))).toEqual({ callback });
});
