import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const nodeGlobals = Object.fromEntries(
  ['process', 'console', 'URL', 'fetch', 'setTimeout', 'clearTimeout', 'Buffer', 'AbortSignal'].map(
    (name) => [name, 'readonly'],
  ),
);

export default tseslint.config(
  { ignores: ['dist', 'dist-bench', 'node_modules', '.test-results'] },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: { ...nodeGlobals, module: 'writable' } },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read the environment in config.ts only.' },
      ],
    },
  },
  {
    // One client has the time and size limits and the proxies.
    files: ['src/**/*.ts'],
    ignores: ['src/http/**', 'src/page/**'],
    rules: {
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Call by src/http/http-client.ts.' }],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'node:http',
              importNames: ['request', 'get'],
              message: 'Call by src/http/http-client.ts.',
            },
            { name: 'node:https', message: 'Call by src/http/http-client.ts.' },
            { name: 'node-fetch', message: 'Call by src/http/http-client.ts.' },
          ],
        },
      ],
    },
  },
  {
    // The SDK prefers its newer model of a dashboard; the classic one is what every Grafana takes from a file.
    files: ['grafana/**/*.ts', 'test/support/dashboards.ts', 'test/support/schema-check.ts'],
    rules: { '@typescript-eslint/no-deprecated': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-restricted-properties': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
