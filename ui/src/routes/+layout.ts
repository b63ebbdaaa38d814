// A static app: nothing is rendered on a server and nothing ahead of time; one page routes itself.
export const ssr = false;
export const prerender = false;
export const trailingSlash = 'never';
