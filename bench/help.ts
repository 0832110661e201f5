import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { percentile, type Measure } from './report.js';

const runs = 10;

/** The time of the whole process, from its start to its end. */
export function measureHelp(): Promise<Measure[]> {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const timed = (args: readonly string[]): number => {
    const startedAt = performance.now();
    spawnSync(process.execPath, args, { stdio: 'ignore' });
    return (performance.now() - startedAt) / 1000;
  };
  const medianOf = (args: readonly string[]): number =>
    percentile(
      Array.from({ length: runs }, () => timed(args)).sort((left, right) => left - right),
      0.5,
    );
  return Promise.resolve([
    {
      bench: 'help',
      what: 'cryptopipe --help',
      value: medianOf([main, '--help']),
      unit: 's',
      goal: 'under 0.2',
      note: `median of ${runs} whole processes`,
    },
    {
      bench: 'help',
      what: 'the peer: node that does nothing',
      value: medianOf(['-e', '0']),
      unit: 's',
      note: `median of ${runs} whole processes`,
    },
  ]);
}
