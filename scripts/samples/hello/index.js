// The smallest tenant: a greeting and the path that was asked for.
// The greeting is the blueprint's body, where there is one.

var greeting = readResponseBody() || 'Hello';

setHeader('Content-Type', 'text/plain; charset=utf-8');
setBody(greeting + ' from ' + readRequestUrl() + '\n');
