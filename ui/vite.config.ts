import { sveltekit } from '@sveltejs/kit/vite';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import { announcerWithoutInlineStyle } from './dev/announcer.ts';
import { mockServer } from './dev/mock.ts';

export default defineConfig({
  plugins: [announcerWithoutInlineStyle(), sveltekit(), svelteTesting(), mockServer()],
  // `light-dark()` and `oklch()` are used as they stand; fonts stay files because of the CSP.
  build: {
    target: ['chrome123', 'safari17.5'],
    cssTarget: ['chrome123', 'safari17.5'],
    assetsInlineLimit: 0,
  },
  server: { proxy: proxyTo(process.env.GLEANER_UI_BACKEND) },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts', 'tests/**/*.test.ts'] },
});

/** `GLEANER_UI_BACKEND=http://127.0.0.1:8000 npm run dev` works on a running `gleaner serve --dev`. */
function proxyTo(backend: string | undefined) {
  if (!backend) return undefined;
  return Object.fromEntries(
    ['^/sources/', '^/sessions/', '^/api/'].map((path) => [path, { target: backend, changeOrigin: true }]),
  );
}
