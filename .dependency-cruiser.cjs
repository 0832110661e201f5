/** The layer rules of the project: imports point inward, `main → cli → commands → core ← adapters`. */
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { pathNot: [from, ...allowed] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'a circle has no inside',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    only(
      'core-is-pure',
      'core is what is true without a network: no packages, no node: modules',
      '^src/core/',
      [
        // Exact decimal arithmetic has no input and no output of its own.
        '^node_modules/decimal\\.js/',
      ],
    ),
    only(
      'commands-see-ports',
      'a command is testable with fakes, so it knows ports, not adapters',
      '^src/commands/',
      ['^src/core/'],
    ),
    only(
      'cli-prints',
      'the command line parses flags and prints; what it does lies in commands',
      '^src/cli/',
      [
        '^src/core/',
        '^src/commands/',
        '^src/(config|compose)\\.ts$',
        '^node_modules/(commander|cli-table3|diff)/',
      ],
    ),
    {
      name: 'http-is-a-client',
      comment: 'one HTTP client serves adapters and stack; it knows none of the systems',
      severity: 'error',
      from: { path: '^src/http/' },
      to: {
        pathNot: ['^src/http/', '^src/core/', '^node_modules/(node-fetch|proxy-agent)/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'postgres-is-a-client',
      comment: 'what errors and TLS of PostgreSQL mean, for adapters and stack; it sends nothing itself',
      severity: 'error',
      from: { path: '^src/postgres/' },
      to: {
        pathNot: ['^src/postgres/', '^src/core/', '^node_modules/pg/', '^node_modules/@types/pg/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'adapters-stand-alone',
      comment: 'an adapter talks to one system; two adapters meet in compose.ts only',
      severity: 'error',
      from: { path: '^src/adapters/' },
      to: { path: '^src/(cli|commands|stack|sandbox|dashboard|page|compose|config|main)' },
    },
    {
      name: 'stack-knows-no-pipeline',
      comment: 'the servers start without knowing what will run on them',
      severity: 'error',
      from: { path: '^src/stack/' },
      to: { path: '^src/(cli|commands|adapters|sandbox|dashboard|page|compose|config|main)' },
    },
    {
      name: 'sandbox-is-an-exchange',
      comment: 'the stand-in shares no code with the bars it is held against',
      severity: 'error',
      from: { path: '^src/sandbox/' },
      to: { path: '^src/(cli|commands|adapters|stack|dashboard|page|compose|config|main)' },
    },
    {
      name: 'dashboard-sends-what-it-gets',
      comment: "the page's server knows HTTP; what is shown comes through its port",
      severity: 'error',
      from: { path: '^src/dashboard/' },
      to: { path: '^src/(cli|commands|adapters|stack|sandbox|page|compose|config|main)' },
    },
    {
      name: 'page-runs-in-a-browser',
      comment: 'of the program it knows the types of what it is sent; nothing else is there in a browser',
      severity: 'error',
      from: { path: '^src/page/' },
      to: { pathNot: ['^src/page/', '^node_modules/lightweight-charts/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'compose-knows-both-sides',
      comment: 'only compose.ts builds adapters, stacks, sandboxes and servers',
      severity: 'error',
      from: { pathNot: '^src/(compose\\.ts|http/|postgres/|adapters/|stack/|sandbox/|dashboard/)' },
      to: { path: '^src/(http|postgres|adapters|stack|sandbox|dashboard)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
