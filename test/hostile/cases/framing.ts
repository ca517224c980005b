import { requests, type Family } from '../hostile-case.ts';

const POST = 'POST / HTTP/1.1\r\nHost: HOST\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: HOST\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

/** RFC 9112; what is ambiguous is refused, whatever another server might make of it. */
const REFUSED = {
  'length and transfer-encoding': `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'transfer-encoding and length': `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  'two lengths': `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  'the same length twice': `${POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
  'a list of lengths': `${POST}Content-Length: 1, 1\r\n\r\na`,
  'a length below zero': `${POST}Content-Length: -1\r\n\r\n`,
  'a length with a sign': `${POST}Content-Length: +1\r\n\r\na`,
  'a hexadecimal length': `${POST}Content-Length: 0x1\r\n\r\na`,
  'a length with a point': `${POST}Content-Length: 1.0\r\n\r\na`,
  'an empty length': `${POST}Content-Length:\r\n\r\n`,
  'a length beyond 64 bits': `${POST}Content-Length: 18446744073709551617\r\n\r\na`,
  'an encoding that is almost chunked': `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'chunked and then another': `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  'an encoding that hides behind a tab': `${POST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`,
  'an encoding in quotes': `${POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
  'a chunk’s length that is none': `${CHUNKED}zz\r\nab\r\n0\r\n\r\n`,
  'a chunk’s length below zero': `${CHUNKED}-1\r\na\r\n0\r\n\r\n`,
  'a chunk’s length beyond 64 bits': `${CHUNKED}fffffffffffffffff\r\na\r\n0\r\n\r\n`,
  'a chunk’s length with 0x': `${CHUNKED}0x1\r\na\r\n0\r\n\r\n`,
  'a chunk that is longer than it says': `${CHUNKED}1\r\nab\r\n0\r\n\r\n`,
  'a chunk that ends with a bare line feed': `${CHUNKED}1\na\n0\n\n`,
  'a line feed in a chunk’s extension': `${CHUNKED}1;a\nb\r\na\r\n0\r\n\r\n`,
  'a length in a trailer': `${CHUNKED}1\r\nx\r\n0\r\nContent-Length: 9\r\n\r\n`,
  'a folded header': `${GET}X-A: 1\r\n 2\r\n\r\n`,
  'a folded Host': `GET / HTTP/1.1\r\nHost:\r\n HOST\r\n\r\n`,
  'bare line feeds': 'GET / HTTP/1.1\nHost: HOST\n\n',
  'bare carriage returns': 'GET / HTTP/1.1\rHost: HOST\r\r',
  'a bare carriage return in a value': `${GET}X-A: 1\rX-B: 2\r\n\r\n`,
  'a bare line feed after a header': `${GET}X-A: 1\nTransfer-Encoding: chunked\r\n\r\n`,
  'a space before the colon': `${POST}Content-Length : 1\r\n\r\na`,
  'a header without a colon': `${GET}X-A\r\n\r\n`,
  'a header without a name': `${GET}: 1\r\n\r\n`,
  'a space before the first header': 'GET / HTTP/1.1\r\n Host: HOST\r\n\r\n',
  'a NUL in a name': `${GET}X\0A: 1\r\n\r\n`,
  'a NUL in a value': `${GET}X-A: a\0b\r\n\r\n`,
  'a control character in a value': `${GET}X-A: a\x07b\r\n\r\n`,
  'a NUL in the target': 'GET /a\0b HTTP/1.1\r\nHost: HOST\r\n\r\n',
  'a space in the target': 'GET /a b HTTP/1.1\r\nHost: HOST\r\n\r\n',
  'no target': 'GET  HTTP/1.1\r\nHost: HOST\r\n\r\n',
  'an unknown version': 'GET / HTTP/3.0\r\nHost: HOST\r\n\r\n',
  'a version that is none': 'GET / HTTP/1.1x\r\nHost: HOST\r\n\r\n',
  'another protocol': 'GET / ICE/1.0\r\nHost: HOST\r\n\r\n',
  'a method in lower case': 'get / HTTP/1.1\r\nHost: HOST\r\n\r\n',
  'an unknown method': 'EVIL / HTTP/1.1\r\nHost: HOST\r\n\r\n',
  'a method with a NUL': 'G\0T / HTTP/1.1\r\nHost: HOST\r\n\r\n',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  TLS: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  SSH: 'SSH-2.0-OpenSSH_9.6\r\n',
  SMTP: 'EHLO example.com\r\n',
  Redis: '*1\r\n$4\r\nPING\r\n',
  nonsense: '\xff\xfe\xfd\xfc\r\n\r\n',
};

export const framing: Family = {
  name: 'HTTP framing',
  cases: [
    ...requests('bad_request', REFUSED),
    ...requests(
      { status: 200, text: /^(?!.*HTTP\/1\.1).*GET/s },
      {
        'a request in a body': `POST / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: 38\r\n\r\nGET /evil HTTP/1.0\r\nHost: evil.example\r\n`,
      },
    ).map((hostile) => ({ ...hostile, script: 'setBody(readRequestBody().replace(/HTTP.*/s, ""))' })),
    ...requests('bad_host', { 'no version, and so no headers': 'GET /\r\n\r\n' }),
    ...requests(
      { status: 200, text: /^(?!.*HTTP\/1\.1 )/s },
      {
        'a request after the last one': `GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\nGET /second HTTP/1.1\r\nHost: HOST\r\n\r\n`,
        'a request after the end of HTTP/1.0': `GET / HTTP/1.0\r\nHost: HOST\r\n\r\nGET /second HTTP/1.1\r\nHost: HOST\r\n\r\n`,
      },
    ),
    ...requests(
      { status: 200 },
      {
        'empty lines first': `\r\n\r\nGET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n`,
        'chunks of one byte with extensions': `POST / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${'1;a=b\r\nx\r\n'.repeat(2000)}0\r\n\r\n`,
        'trailers that mean to be headers': `POST / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: Host\r\n\r\n1\r\nx\r\n0\r\nHost: evil.example\r\nX-Request-Id: 1\r\n\r\n`,
      },
    ),
  ],
};
