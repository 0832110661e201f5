import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../../src/cli/context.js';
import { addSandbox } from '../../src/cli/sandbox.js';
import type { SandboxOptions, TapeFileOptions } from '../../src/core/ports/sandbox.js';

/** Runs a command line against a factory that only remembers; the signal is aborted from the start. */
async function run(
  ...argv: string[]
): Promise<{ out: string; started?: SandboxOptions; written?: TapeFileOptions }> {
  const seen: { out: string; started?: SandboxOptions; written?: TapeFileOptions } = { out: '' };
  const sandbox = {
    start: (options: SandboxOptions) => {
      seen.started = options;
      return Promise.resolve({
        url: 'http://127.0.0.1:1',
        symbols: ['BTCUSDT'],
        close: () => Promise.resolve(),
      });
    },
    writeTape: (options: TapeFileOptions) => {
      seen.written = options;
      return Promise.resolve({
        file: options.file,
        trades: 2,
        firstId: 7,
        lastId: 8,
        firstTime: 0,
        lastTime: 1,
      });
    },
  };
  const context = {
    io: {
      out: (text: string) => (seen.out += text),
      err: () => undefined,
      isTerminal: false,
      useColor: false,
    },
    signal: AbortSignal.abort(),
    config: () => ({ native: { ports: { sandbox: 18_090 } } }),
    app: () => ({ sandbox }),
    setExitCode: () => undefined,
  } as unknown as CliContext;
  const program = new Command().exitOverride();
  addSandbox(program, context);
  await program.parseAsync(['sandbox', ...argv], { from: 'user' });
  return seen;
}

describe('cryptopipe sandbox', () => {
  it('runs two generated symbols with an hour of history on the port of the configuration', async () => {
    const { started, out } = await run();
    expect(started).toMatchObject({
      host: '127.0.0.1',
      port: 18_090,
      hasRequestLimit: true,
      klineFiles: [],
      tape: {
        kind: 'generated',
        symbols: ['BTCUSDT', 'ETHUSDT'],
        seed: '1',
        ratePerSecond: 20,
        begin: { historyMinutes: 60 },
      },
    });
    expect(out).toBe('The sandbox answers at http://127.0.0.1:1 with BTCUSDT\n');
  });

  it('takes what is typed, and prints JSON on demand', async () => {
    const generated = await run(
      '--port',
      '0',
      '--symbols',
      'ethbtc',
      '--seed',
      'x',
      '--begin',
      '2024-08-08',
      '--json',
    );
    expect(generated.started).toMatchObject({
      port: 0,
      tape: { symbols: ['ETHBTC'], seed: 'x', begin: { time: Date.UTC(2024, 7, 8) } },
    });
    expect(JSON.parse(generated.out)).toEqual({ url: 'http://127.0.0.1:1', symbols: ['BTCUSDT'] });
    const recorded = await run(
      '--tape',
      'a.csv',
      'b.csv',
      '--speed',
      '60',
      '--klines',
      'k.csv',
      '--no-request-limit',
    );
    expect(recorded.started).toMatchObject({
      tape: { kind: 'recorded', files: ['a.csv', 'b.csv'], speed: 60 },
      klineFiles: ['k.csv'],
      hasRequestLimit: false,
    });
    expect((await run('--tape', 'a.csv', '--all-at-once')).started?.tape).toMatchObject({
      speed: 'all-at-once',
    });
  });

  it('takes oddities of the tape and faults', async () => {
    const { started } = await run(
      ...['--odd', 'burst,halt', '--halt', '2024-08-08T23:54Z,2024-08-08T23:57Z'],
      ...['--chaos', 'x:30', '--stream-lifetime', '90'],
    );
    expect(started).toMatchObject({
      tape: {
        oddities: {
          ...{ hasBursts: true, hasNeutralised: false, hasHalts: true },
          halts: [{ from: Date.UTC(2024, 7, 8, 23, 54), to: Date.UTC(2024, 7, 8, 23, 57) }],
        },
      },
      chaos: { seed: 'x', faultsPerMinute: 30 },
      streamLifetimeMs: 90_000,
    });
    const archive = { holesPerDay: 3, hasToday: true };
    expect((await run('--archive-holes', '3', '--archive-today')).started).toMatchObject({ archive });
    expect((await run('--chaos', '7')).started?.chaos).toEqual({ seed: '7', faultsPerMinute: 6 });
  });

  it.each([
    [['--begin', '2024-08-08T01:00'], Date.UTC(2024, 7, 8, 1)],
    [['--begin', '2024-08-08T01:00:00.5+01:00'], Date.UTC(2024, 7, 8, 0, 0, 0, 500)],
    [['--begin', '1723161255342'], 1_723_161_255_342],
  ])('takes %j as a time, in UTC where no zone is said', async (argv, time) => {
    expect((await run(...argv)).started?.tape).toMatchObject({ begin: { time } });
  });

  it.each([
    [['--speed', '2'], /for a recorded tape/],
    [['--all-at-once'], /for a recorded tape/],
    [['--begin', '2024-01-01', '--history', '5'], /contradict/],
    [['--tape', 'a.csv', '--seed', '1'], /--seed is for a generated tape/],
    [['--tape', 'a.csv', '--speed', '2', '--all-at-once'], /contradict/],
    [['--rate', 'fast'], /--rate fast is not a number/],
    [['--rate', '0'], /--rate 0 is not a number from 0\.01/],
    [['--port', '70000'], /not a whole number from 0 to 65535/],
    [['--symbols', 'BTC/USDT'], /'BTC\/USDT' is not a symbol/],
    [['--begin', 'yesterday'], /not a time/],
    [['--odd', 'bursts'], /'bursts' is none of burst, neutralised, halt/],
    [['--halt', '2024-08-08T23:54:30Z,2024-08-08T23:57Z'], /not two whole minutes/],
    [['--halt', '2024-08-08T23:57Z,2024-08-08T23:54Z'], /not two whole minutes/],
    [['--halt', '2024-08-08T23:57Z'], /not two whole minutes/],
    [['--tape', 'a.csv', '--odd', 'halt'], /--odd is for a generated tape/],
    [['--chaos', ':6'], /not a seed with a rate/],
    [['--chaos', '7:0'], /--chaos 0 is not a number from 0\.01/],
    [['--stream-lifetime', '0'], /--stream-lifetime 0 is not a number from 1/],
    [['tape', '--symbol', 'X', '--trades', '1', '--out', 'f', '--port', '1'], /--port means nothing/],
  ])('refuses %j', async (argv, expected) => {
    await expect(run(...argv)).rejects.toThrow(expected);
  });

  it('writes a tape with the flags that both commands share', async () => {
    const { written, out } = await run(
      ...[
        'tape',
        '--symbol',
        'BTCUSDT',
        '--trades',
        '1000',
        '--out',
        'f.csv',
        '--rate',
        '100',
        '--seed',
        '9',
        '--json',
      ],
    );
    expect(written).toMatchObject({
      ...{ symbol: 'BTCUSDT', trades: 1000, file: 'f.csv', ratePerSecond: 100, seed: '9' },
      begin: Date.UTC(2024, 0, 1),
    });
    expect(JSON.parse(out)).toMatchObject({ trades: 2, firstId: 7 });
  });
});
