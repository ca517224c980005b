// Loads a dynamic worker for each request and throws it away after it.
// https://developers.cloudflare.com/dynamic-workers/api-reference
const code = {
  compatibilityDate: '2026-09-01',
  mainModule: 'index.js',
  modules: { 'index.js': 'export default { fetch() { return new Response("hello"); } };' },
  globalOutbound: null,
};

export default {
  fetch(request, env) {
    return env.LOADER.load(code).getEntrypoint().fetch(request);
  },
};
