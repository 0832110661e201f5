import { describe, expect, it } from 'vitest';
import { exitCodeOf, printHealing, progressText } from '../../src/cli/heal-print.js';
import type { HealReport, SymbolHealing } from '../../src/commands/heal.js';
import { callCli } from '../support/run-cli.js';

const healing: SymbolHealing = {
  symbol: 'BTCUSDT',
  missing: [{ firstId: 400, lastId: 2999 }],
  missingIds: 2600,
  healedIds: 2597,
  left: [
    { firstId: 700, lastId: 701, why: 'never published' },
    { firstId: 1500, lastId: 1500, why: 'refused', reason: 'its price `p` is not a decimal text' },
  ],
};

function printed(values: Partial<HealReport>): string {
  let text = '';
  printHealing(
    { out: (part) => (text += part), err: () => undefined, isTerminal: false, useColor: false },
    {
      ...{ source: 'binance-spot', isDryRun: false, symbols: [healing], isWhole: false },
      ...{ requests: 4, weight: 16, maxWeight: 3000, ...values },
    },
  );
  return text;
}

describe('what heal prints', () => {
  it('names what could not be had, and why', () => {
    expect(printed({})).toBe(
      'BTCUSDT  healed: 2,597 of 2,600 trades in 1 range\n' +
        'BTCUSDT  never published: trades 700 to 701 (2)\n' +
        'BTCUSDT  refused: trades 1500 to 1500 (1), its price `p` is not a decimal text\n' +
        'not whole: see above\n',
    );
  });

  it('says what to do where the weight was spent', () => {
    const left = [{ firstId: 400, lastId: 2999, why: 'later' }] as const;
    expect(printed({ symbols: [{ ...healing, healedIds: 0, left }] })).toContain(
      'BTCUSDT  later: trades 400 to 2999 (2,600)\nnot whole: see above; call it again for the rest',
    );
  });

  it('says in how many runs a dry run would come to its end', () => {
    expect(printed({ isDryRun: true, maxWeight: 5 })).toContain(
      'would fetch 2,600 trades with 4 requests of weight 16 together, which takes 4 runs with --max-weight 5\n',
    );
  });

  it('shows fifty ranges of a symbol and says how many more there are', () => {
    const missing = Array.from({ length: 52 }, (_, index) => ({ firstId: 10 * index, lastId: 10 * index }));
    const text = printed({ isDryRun: true, symbols: [{ ...healing, missing, left: [] }] });
    expect(text.split('would fetch: ')).toHaveLength(51);
    expect(text).toContain('BTCUSDT  and 2 more ranges; --json lists all\n');
  });

  it('tells how far it is in one line', () => {
    const at = { attempt: 1, sent: 1000, open: 2600 } as const;
    expect(progressText({ ...at, phase: 'fetching' })).toBe('1,000 of 2,600 missing trades are in Kafka');
    expect(progressText({ ...at, phase: 'waiting', attempt: 2 })).toBe(
      'waiting for the coverage: 2,600 trades are not counted yet, try 2',
    );
  });

  it('makes the exit code of what is missing, except in a dry run', () => {
    const report = { isWhole: false, isDryRun: false } as HealReport;
    expect(exitCodeOf(report)).toBe(5);
    expect(exitCodeOf({ ...report, isDryRun: true })).toBe(0);
    expect(exitCodeOf({ ...report, isWhole: true })).toBe(0);
  });
});

describe('the flags of heal', () => {
  it.each([
    [['--from', 'now'], 'neither a time nor a trade id'],
    [['--from', '500', '--to', '500'], '--from is not before --to'],
    [['--from', '2024-08-09', '--to', '2024-08-08'], '--from is not before --to'],
    [['--max-weight', '0'], 'whole number'],
    [['--source', 'binance-spot-ticker-5000'], 'unknown option'],
  ])('refuse %j as wrong usage', async (argv, said) => {
    const { exitCode, err } = await callCli(['heal', ...argv], { HOME: '/nonexistent' });
    expect([exitCode, err]).toEqual([2, expect.stringContaining(said)]);
  });
});
