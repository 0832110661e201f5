import type { GeneratedTapeChoice, RunningSandbox, SandboxOptions } from '../core/ports/sandbox.js';
import { playedFrom, stoppedAt, wallClock, type Clock } from './clock.js';
import { SymbolKlines } from './klines.js';
import { readKlineFiles } from './klines-file.js';
import { SandboxServer } from './server.js';
import { GeneratedTape } from './tapes/generated.js';
import { readRecordedTapes } from './tapes/recorded.js';
import type { Tape } from './tapes/tape.js';

const MINUTE_MS = 60_000;

/** Reads or makes the tape, then opens the port. */
export async function startSandbox(options: SandboxOptions): Promise<RunningSandbox> {
  const published = await readKlineFiles(options.klineFiles);
  const { tape, clock } = await openTape(options.tape);
  const klines = new Map(
    [...tape].map(([symbol, trades]) => [symbol, new SymbolKlines(trades, published.get(symbol))]),
  );
  const { streamLifetimeMs: lifetimeMs } = options;
  const server = new SandboxServer(
    { tape, klines, clock },
    { ...options, ...(lifetimeMs === undefined ? {} : { streamTimes: { lifetimeMs } }) },
  );
  const url = await server.listen();
  return { url, symbols: [...tape.keys()], close: () => server.close() };
}

async function openTape(choice: SandboxOptions['tape']): Promise<{ tape: Tape; clock: Clock }> {
  if (choice.kind === 'generated') return { tape: generatedTape(choice), clock: wallClock };
  const tape = await readRecordedTapes(choice.files);
  const spans = [...tape.values()].map(({ span }) => span);
  const first = Math.min(...spans.map((span) => span.first));
  const last = Math.max(...spans.map((span) => span.last));
  return {
    tape,
    clock: choice.speed === 'all-at-once' ? stoppedAt(last + 1) : playedFrom(first, choice.speed),
  };
}

function generatedTape({ symbols, begin, ...choice }: GeneratedTapeChoice): Tape {
  const from =
    'time' in begin
      ? begin.time
      : Math.floor((Date.now() - begin.historyMinutes * MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  return new Map(
    [...symbols].sort().map((symbol) => [symbol, new GeneratedTape({ ...choice, symbol, begin: from })]),
  );
}
