import { expect, it } from 'vitest';
import { progressIntervalMs, progressLine, startLine, summaryLines } from '../../src/cli/produce-print.js';
import { ProgressCounter } from '../../src/core/produce-progress.js';
import { callCli } from '../support/run-cli.js';
import { ticksFrom } from '../support/ticks.js';

it('shows progress often on a terminal, less often elsewhere, and once a minute in the background', () => {
  const interval = (isTerminal: boolean, json: boolean, background?: boolean): number =>
    progressIntervalMs({ isTerminal }, { json, ...(background === undefined ? {} : { background }) });
  expect(interval(true, false)).toBe(500);
  expect(interval(true, true)).toBe(5000);
  expect(interval(false, false)).toBe(5000);
  expect(interval(false, false, true)).toBe(60_000);
});

it('speaks of samples and of missed ones where a ticker runs', () => {
  const counter = new ProgressCounter(['BTCUSDT'], 0);
  counter.setLive('BTCUSDT', true);
  counter.acknowledged(ticksFrom(7, 10), 4000);
  counter.missed('BTCUSDT', 1200);
  const progress = counter.at(4000);
  expect(progressLine(progress)).toBe('BTCUSDT 10, live, 1/s, 1,200 missed');
  expect(summaryLines({ ...progress, ended: 'stopped', seconds: 4 }, 'sample')).toEqual([
    'BTCUSDT: 4 samples sent and acknowledged, 7 to 10, 1,200 missed',
    'stopped: 4 samples in 4.0 s, 1/s',
  ]);
  const start = {
    symbol: 'BTCUSDT',
    nextId: 7,
    newest: undefined,
    reason: 'slot',
    cursor: undefined,
  } as const;
  expect(startLine(start)).toBe('BTCUSDT: samples from slot 7 on');
});

it.each([['--from', '0'], ['--until-caught-up'], ['--to', '2024-08-08']])(
  'refuses %s for a ticker, which has no past and no end',
  async (...flags) => {
    const { exitCode, err } = await callCli(['produce', '--feed', 'ticker', ...flags], {});
    expect([exitCode, err]).toEqual([2, expect.stringContaining(flags[0])]);
  },
);
