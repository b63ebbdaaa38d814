import adapter from '@sveltejs/adapter-static';

/** One page for every address: the client routes, so deep links need the fallback. */
export default {
  kit: {
    adapter: adapter({ pages: 'build', assets: 'build', fallback: 'index.html', strict: true }),
    csp: {
      mode: 'hash',
      directives: {
        'default-src': ['self'],
        'script-src': ['self'],
        'style-src': ['self'],
        'img-src': ['self', 'data:', 'blob:'],
        'connect-src': ['self', 'ipc:', 'http://ipc.localhost'],
        'object-src': ['none'],
        'base-uri': ['none'],
        'form-action': ['none'],
      },
    },
    version: { pollInterval: 0 },
  },
};
