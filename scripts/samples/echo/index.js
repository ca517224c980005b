// Answers what it was asked: method, URL, headers and body as JSON.
// A body that is not text, or any body with ?raw in the query, comes back as it is, byte for byte.

var TEXTUAL = /^(text\/|application\/(json|xml|javascript|x-www-form-urlencoded)\b|[^;]+\+(json|xml)\b)/i;

var contentType = readRequestHeader('Content-Type');
var query = readRequestUrl().split('?').slice(1).join('?');
var wantsRaw = /(^|&)raw(=|&|$)/.test(query);

if (wantsRaw || (contentType && !TEXTUAL.test(contentType))) {
  setHeader('Content-Type', contentType || 'application/octet-stream');
  setBody(readRequestBodyBytes());
} else {
  setHeader('Content-Type', 'application/json; charset=utf-8');
  setBody(
    JSON.stringify(
      {
        method: readRequestMethod(),
        url: readRequestUrl(),
        headers: readRequestHeaders(),
        body: readRequestBody(),
      },
      null,
      2,
    ) + '\n',
  );
}
