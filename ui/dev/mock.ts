/**
 * A made-up Gleaner for `GLEANER_UI_MOCK=<sources> npm run dev`: pages with data before a server runs.
 * Only the dev server knows it; nothing of it is built or shipped.
 */
import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'vite';
import { World } from './world.ts';

export function mockServer(): Plugin {
  return {
    name: 'gleaner-mock',
    apply: 'serve',
    configureServer(server) {
      const sources = process.env.GLEANER_UI_MOCK;
      if (sources === undefined) return;
      const world = new World(Number(sources));
      server.middlewares.use((request, response, next) => {
        const url = new URL(request.url ?? '/', 'http://mock');
        const ours = /^\/(api|sources|sessions)\//.test(url.pathname);
        if (!ours) return next();
        if (url.pathname === '/api/events') {
          response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
          response.write(': hello\n\n');
          const timer = setInterval(() => {
            response.write(`data: ${JSON.stringify({ seq: 0, tag: 'progress' })}\n\n`);
          }, 1000);
          request.on('close', () => clearInterval(timer));
          return;
        }
        void body(request).then((input) => {
          const { status, json, code } = world.answer(request.method ?? 'GET', url, input);
          response.writeHead(status, {
            'content-type': 'application/json',
            ...(code ? { 'x-error-code': code } : {}),
          });
          response.end(JSON.stringify(json));
        });
      });
    },
  };
}

async function body(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  // An upload is a form; what is in it is not looked at.
  const json = request.headers['content-type']?.startsWith('application/json');
  return text && json ? (JSON.parse(text) as Record<string, unknown>) : {};
}
