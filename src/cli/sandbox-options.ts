import { UsageError } from '../core/errors.js';
import type { SandboxOptions } from '../core/ports/sandbox.js';
import type { CliContext } from './context.js';
import {
  parseChaos,
  parseNumber,
  parseOddities,
  parseRate,
  parseSymbols,
  parseTime,
} from './sandbox-values.js';

/** The flags of `sandbox` as commander hands them over. */
export interface SandboxFlags {
  readonly port?: string;
  readonly host: string;
  readonly allowHost: readonly string[];
  readonly symbols?: string;
  readonly rate?: string;
  readonly seed?: string;
  readonly history?: string;
  readonly begin?: string;
  readonly odd?: string;
  readonly halt?: readonly string[];
  readonly tape?: readonly string[];
  readonly speed?: string;
  readonly allAtOnce: boolean;
  readonly klines: readonly string[];
  readonly requestLimit: boolean;
  readonly streamLifetime?: string;
  readonly chaos?: string;
  readonly archiveHoles: string;
  readonly archiveToday: boolean;
  readonly json: boolean;
}

/** What a generated tape is like where nothing is said. */
export const DEFAULTS = { symbols: 'BTCUSDT,ETHUSDT', rate: '20', seed: '1', history: '60' } as const;

/** @throws UsageError that names the flag. */
export async function toOptions(flags: SandboxFlags, context: CliContext): Promise<SandboxOptions> {
  return {
    host: flags.host,
    allowedHosts: flags.allowHost,
    port:
      flags.port === undefined
        ? (await context.config()).native.ports.sandbox
        : parseNumber(flags.port, '--port', { min: 0, max: 65_535, isWhole: true }),
    tape: flags.tape === undefined ? generated(flags) : recorded(flags, flags.tape),
    klineFiles: flags.klines,
    hasRequestLimit: flags.requestLimit,
    ...faultsOf(flags),
    onBug: (error) =>
      context.io.err(`a bug of the sandbox, please report it: ${String((error as Error).stack)}\n`),
  };
}

function generated(flags: SandboxFlags): SandboxOptions['tape'] {
  if (flags.speed !== undefined || flags.allAtOnce)
    throw new UsageError('--speed and --all-at-once are for a recorded tape', {
      nextStep: 'Add --tape FILE.',
    });
  if (flags.begin !== undefined && flags.history !== undefined)
    throw new UsageError('--begin and --history contradict each other', { nextStep: 'Keep one of them.' });
  const history = parseNumber(flags.history ?? DEFAULTS.history, '--history', {
    min: 0,
    max: 5e6,
    isWhole: false,
  });
  return {
    kind: 'generated',
    symbols: parseSymbols(flags.symbols ?? DEFAULTS.symbols, '--symbols'),
    seed: flags.seed ?? DEFAULTS.seed,
    ratePerSecond: parseRate(flags.rate ?? DEFAULTS.rate),
    begin:
      flags.begin === undefined ? { historyMinutes: history } : { time: parseTime(flags.begin, '--begin') },
    oddities: parseOddities(flags),
  };
}

function recorded(flags: SandboxFlags, files: readonly string[]): SandboxOptions['tape'] {
  for (const name of ['symbols', 'rate', 'seed', 'history', 'begin', 'odd', 'halt'] as const)
    if (flags[name] !== undefined)
      throw new UsageError(`--${name} is for a generated tape, --tape plays a recorded one`, {
        nextStep: 'Keep one of them.',
      });
  if (flags.allAtOnce && flags.speed !== undefined)
    throw new UsageError('--all-at-once and --speed contradict each other', {
      nextStep: 'Keep one of them.',
    });
  const speed = parseNumber(flags.speed ?? '1', '--speed', { min: 0.001, max: 1e6, isWhole: false });
  return { kind: 'recorded', files, speed: flags.allAtOnce ? 'all-at-once' : speed };
}

function faultsOf(flags: SandboxFlags): Pick<SandboxOptions, 'streamLifetimeMs' | 'chaos' | 'archive'> {
  const lifetime = flags.streamLifetime;
  return {
    ...(lifetime === undefined
      ? {}
      : {
          streamLifetimeMs:
            1000 * parseNumber(lifetime, '--stream-lifetime', { min: 1, max: 86_400, isWhole: false }),
        }),
    ...(flags.chaos === undefined ? {} : { chaos: parseChaos(flags.chaos) }),
    archive: {
      holesPerDay: parseNumber(flags.archiveHoles, '--archive-holes', { min: 0, max: 1_000, isWhole: true }),
      hasToday: flags.archiveToday,
    },
  };
}
