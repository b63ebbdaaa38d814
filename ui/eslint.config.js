import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['build', '.svelte-kit', 'src/lib/api/schema.ts'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { extraFileExtensions: ['.svelte'], parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      'no-undef': 'off', // TypeScript knows better.
      'svelte/no-at-html-tags': 'error', // Text from Telegram is hostile: text nodes only.
      // The CSP refuses style attributes; `style:prop` directives go through the CSSOM.
      'no-restricted-syntax': [
        'error',
        { selector: 'SvelteAttribute[key.name="style"]', message: 'Use style:prop={…}' },
      ],
      'svelte/prefer-svelte-reactivity': 'off', // Sets are replaced whole in $state.raw, never changed.
      'svelte/no-navigation-without-resolve': 'off', // The app lives at the root of its origin.
      '@typescript-eslint/no-explicit-any': 'error',
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*'], message: 'Only lib/api and lib/host know the window.' }] },
      ],
    },
  },
  { files: ['src/lib/api/**', 'src/lib/host/**'], rules: { 'no-restricted-imports': 'off' } },
);
