// A tenant with several paths: an answer of its own for each, 404 for every other,
// 405 for what is not a read, and two cookies for whoever comes to the start page.

var NOTES = {
  '/milk': 'Buy milk.',
  '/isolates': 'Every request runs in a new isolate: nothing is remembered between two of them.',
};

function answer(status, text) {
  setStatus(status);
  setHeader('Content-Type', 'text/plain; charset=utf-8');
  setBody(text + '\n');
}

function answerStart() {
  addHeader('Set-Cookie', 'visited=yes; Path=/; HttpOnly; SameSite=Lax');
  addHeader('Set-Cookie', 'theme=light; Path=/; Max-Age=86400; SameSite=Lax');
  answer(200, Object.keys(NOTES).join('\n'));
}

var path = readRequestUrl().split('?')[0];
var method = readRequestMethod();

if (method !== 'GET' && method !== 'HEAD') {
  setHeader('Allow', 'GET, HEAD');
  answer(405, 'Notes can only be read.');
} else if (path === '/') {
  answerStart();
} else if (Object.prototype.hasOwnProperty.call(NOTES, path)) {
  answer(200, NOTES[path]);
} else {
  console.log('no note at', path);
  answer(404, 'There is no note at ' + path);
}
