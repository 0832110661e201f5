// The long tests, each file a part of its own: `npm run test:long [-- part…]`. Prints what is needed to run one again.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const minuteMs = 60_000;
const partLimitMs = 10 * minuteMs;
/** Their outages last ten or twenty minutes by themselves. */
const longerLimitsMs = {
  'outage-exchange-ban': 30 * minuteMs,
  'outage-exchange-long': 20 * minuteMs,
  'outage-servers-long': 20 * minuteMs,
};

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown (not a git checkout)';
  }
}

const parts = readdirSync(new URL('../test/long/', import.meta.url))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.test.ts'.length));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : parts;
const unknown = wanted.filter((name) => !parts.includes(name));
if (unknown.length > 0) {
  console.error(`error: no part ${unknown.join(', ')}; there are: ${parts.join(', ')}`);
  process.exit(2);
}
const seed = process.env['SEED'] ?? String(Math.floor(Math.random() * 1e9));
console.log(`commit ${commit()}, SEED=${seed}`);
let failed = 0;
for (const part of wanted) {
  const startedAt = Date.now();
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'long', `test/long/${part}.test.ts`],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, SEED: seed },
      timeout: longerLimitsMs[part] ?? partLimitMs,
    },
  );
  failed += status === 0 ? 0 : 1;
  console.log(
    `${part}: ${status === 0 ? 'passed' : 'failed'} after ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
}
console.log(`${wanted.length - failed} parts passed, ${failed} failed (commit ${commit()}, SEED=${seed})`);
process.exitCode = failed === 0 ? 0 : 1;
