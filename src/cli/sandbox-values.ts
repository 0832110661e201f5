import { UsageError } from '../core/errors.js';
import { readSymbolList, symbolProblem } from '../core/symbol.js';
import type { Halt, TapeOddities } from '../core/ports/sandbox.js';

const MINUTE_MS = 60_000;
const LONGEST_HALT_DAYS = 7;

/** Trades a second. */
export const parseRate = (text: string): number =>
  parseNumber(text, '--rate', { min: 0.01, max: 10_000, isWhole: false });

/** A number between two others, both allowed. */
export function parseNumber(
  text: string,
  flag: string,
  { min, max, isWhole }: { readonly min: number; readonly max: number; readonly isWhole: boolean },
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new UsageError(`${flag} ${text} is not a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}`);
}

/** Names between commas, in upper case, each once. */
export function parseSymbols(text: string, flag: string): string[] {
  const list = readSymbolList(text);
  const problem = symbolProblem(list);
  if (problem === undefined) return [...list.symbols];
  throw new UsageError(`${flag}: ${problem}`, { nextStep: 'Type them like BTCUSDT,ETHUSDT.' });
}

/** Epoch ms of ISO 8601 or of epoch ms. */
export function parseTime(text: string, flag: string): number {
  // Without a zone a time is UTC, whatever the computer's own zone is.
  const isLocal = /T[\d:.]+$/.test(text);
  const time = /^\d{12,13}$/.test(text) ? Number(text) : Date.parse(isLocal ? `${text}Z` : text);
  if (time >= Date.UTC(2017, 0, 1)) return time;
  throw new UsageError(`${flag} ${text} is not a time from 2017 on`, {
    nextStep: 'Type it like 2024-08-08T23:54:00Z, or as epoch ms.',
  });
}

/** `--odd` and `--halt` together. */
export function parseOddities(flags: {
  readonly odd?: string;
  readonly halt?: readonly string[];
}): TapeOddities {
  const names = (flags.odd ?? '').split(',').filter((name) => name !== '');
  const wrong = names.find((name) => !['burst', 'neutralised', 'halt'].includes(name));
  if (wrong !== undefined)
    throw new UsageError(`--odd: '${wrong}' is none of burst, neutralised, halt`, {
      nextStep: 'Type them like --odd burst,neutralised,halt.',
    });
  return {
    hasBursts: names.includes('burst'),
    hasNeutralised: names.includes('neutralised'),
    hasHalts: names.includes('halt'),
    halts: (flags.halt ?? []).map(parseHalt),
  };
}

function parseHalt(text: string): Halt {
  const [from, to, ...rest] = text.split(',').map((time) => parseTime(time, '--halt'));
  const isWhole = [from, to].every((time) => (time ?? 1) % MINUTE_MS === 0);
  if (from !== undefined && to !== undefined && rest.length === 0 && isWhole)
    if (from < to && to - from <= LONGEST_HALT_DAYS * 24 * 60 * MINUTE_MS) return { from, to };
  throw new UsageError(`--halt ${text} is not two whole minutes, at most ${LONGEST_HALT_DAYS} days apart`, {
    nextStep: 'Type it like --halt 2024-08-08T23:54:00Z,2024-08-08T23:57:00Z.',
  });
}

/** A seed, or a seed and how many faults a minute: `7` or `7:6`. */
export function parseChaos(text: string): { readonly seed: string; readonly faultsPerMinute: number } {
  const [seed = '', rate = '6', ...rest] = text.split(':');
  if (seed === '' || rest.length > 0)
    throw new UsageError(`--chaos ${text} is not a seed with a rate`, {
      nextStep: 'Type it like --chaos 7:6.',
    });
  return { seed, faultsPerMinute: parseNumber(rate, '--chaos', { min: 0.01, max: 600, isWhole: false }) };
}
