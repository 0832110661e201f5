import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxOptions } from '../../src/core/ports/sandbox.js';
import { writeTape } from '../../src/sandbox/tapes/write-archive.js';

const folders: string[] = [];

/**
 * A recorded tape of some symbols at 100 trades a second, played from its first trade on: unlike a generated one it
 * does not depend on what minute it is now, which may be a quiet one.
 */
export async function aPlayedTape(...symbols: readonly string[]): Promise<SandboxOptions['tape']> {
  const folder = await mkdtemp(join(tmpdir(), 'played-tape-'));
  folders.push(folder);
  const files = symbols.map((symbol) => join(folder, `${symbol}-aggTrades-made.csv`));
  for (const [index, file] of files.entries())
    await writeTape({
      symbol: symbols[index] ?? '',
      seed: '1',
      ratePerSecond: 100,
      begin: Date.UTC(2024, 0, 1, 12, 0, 30),
      trades: 20_000,
      file,
      signal: AbortSignal.timeout(30_000),
    });
  return { kind: 'recorded', files, speed: 1 };
}

export async function removePlayedTapes(): Promise<void> {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
}
