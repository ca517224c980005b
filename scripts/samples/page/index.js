// Renders an HTML page from its blueprint, a JSON document such as
// { "title": "Tea", "text": "What we have", "items": [{ "name": "Assam", "price": "4.50" }] }

var ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, function (character) {
    return ENTITIES[character];
  });
}

function readBlueprint() {
  var headers = readResponseHeaders();
  var body = readResponseBody();
  // There is no body in answer to HEAD, and no header where there is no blueprint.
  if (body && headers['Content-Type'] && /^application\/json\b/i.test(headers['Content-Type'][0])) {
    return JSON.parse(body);
  }
  return { title: 'Nothing here yet', text: 'This page has no blueprint.', items: [] };
}

function renderItem(item) {
  return '    <li>' + escapeHtml(item.name) + ' <b>' + escapeHtml(item.price) + '</b></li>\n';
}

function renderPage(blueprint) {
  var title = escapeHtml(blueprint.title);
  return (
    '<!doctype html>\n' +
    '<html lang="en">\n' +
    '  <meta charset="utf-8">\n' +
    '  <title>' + title + '</title>\n' +
    '  <h1>' + title + '</h1>\n' +
    '  <p>' + escapeHtml(blueprint.text) + '</p>\n' +
    '  <ul>\n' + blueprint.items.map(renderItem).join('') + '  </ul>\n' +
    '  <footer>' + escapeHtml(readRequestUrl()) + '</footer>\n' +
    '</html>\n'
  );
}

// The page is as good as its blueprint: a missing document stays a missing page.
setStatus(readResponseStatusCode());
setHeader('Content-Type', 'text/html; charset=utf-8');
setBody(renderPage(readBlueprint()));
