import type { Command } from 'commander';
import { UsageError } from '../core/errors.js';
import type { RunningSandbox, SandboxOptions } from '../core/ports/sandbox.js';
import type { CliContext } from './context.js';
import { printJson } from './print.js';

interface SandboxFlags {
  readonly port?: string;
  readonly host: string;
  readonly symbols?: string;
  readonly rate?: string;
  readonly seed?: string;
  readonly history?: string;
  readonly begin?: string;
  readonly tape?: readonly string[];
  readonly speed?: string;
  readonly allAtOnce: boolean;
  readonly klines: readonly string[];
  readonly requestLimit: boolean;
  readonly json: boolean;
}

interface TapeFlags {
  readonly symbol: string;
  readonly trades: string;
  readonly out: string;
  readonly seed: string;
  readonly rate: string;
  readonly begin: string;
  readonly json: boolean;
}

/** commander reads the flags that `sandbox` and `sandbox tape` share as those of `sandbox`, so both are looked at. */
type AllTapeFlags = TapeFlags & Partial<SandboxFlags>;

const DEFAULTS = { symbols: 'BTCUSDT,ETHUSDT', rate: '20', seed: '1', history: '60' } as const;
const SYMBOL = /^[A-Z0-9._]{1,20}$/;

const example = `
Examples:
  cryptopipe sandbox --symbols BTCUSDT,ETHUSDT --history 15
  cryptopipe sandbox --tape BTCUSDT-aggTrades-2024-08-08.csv.gz --speed 60
Faults on request, for the next two requests:
  curl -d '{"status":429,"retryAfterSeconds":2,"count":2}' http://127.0.0.1:8090/sandbox/faults
  ({"delayMs":500} and {"drop":true} likewise; -X DELETE takes them back)`;

/** `sandbox` runs the stand-in exchange until a signal; `sandbox tape` writes a generated tape to a file. */
export function addSandbox(program: Command, context: CliContext): void {
  const sandbox = program
    .command('sandbox')
    .description('runs a stand-in exchange on this computer, over a generated or a recorded tape')
    .option('--port <n>', 'port to listen on (default: 8090 and the port offset)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--symbols <list>', `symbols of the generated tape (default: ${DEFAULTS.symbols})`)
    .option('--rate <n>', `its trades a second and symbol (default: ${DEFAULTS.rate})`)
    .option('--seed <text>', `what it is made from (default: ${DEFAULTS.seed})`)
    .option('--history <minutes>', `how long ago it begins (default: ${DEFAULTS.history})`)
    .option('--begin <time>', 'when it begins: ISO 8601 or epoch ms')
    .option('--tape <file...>', 'play recorded files SYMBOL-aggTrades-….csv, .csv.gz or .zip instead')
    .option('--speed <n>', 'play them so many times faster (default: 1)')
    .option('--all-at-once', 'have all of them there from the start', false)
    .option('--klines <file...>', 'files SYMBOL-INTERVAL-….csv, .csv.gz or .zip to answer klines from', [])
    .option('--no-request-limit', 'never answer 429 for too much request weight')
    .option('--json', 'print the address as JSON', false)
    .addHelpText('after', example)
    .action(async (flags: SandboxFlags) => runSandbox(flags, context));
  addTape(sandbox, context);
}

function addTape(sandbox: Command, context: CliContext): void {
  sandbox
    .command('tape')
    .description('writes trades of a generated tape to a file in archive format')
    .requiredOption('--symbol <name>', 'its symbol')
    .requiredOption('--trades <n>', 'how many trades')
    .requiredOption('--out <file>', 'SYMBOL-aggTrades-….csv or .csv.gz')
    .option('--seed <text>', 'what it is made from', DEFAULTS.seed)
    .option('--rate <n>', 'trades a second', DEFAULTS.rate)
    .option('--begin <time>', 'when it begins: ISO 8601 or epoch ms', '2024-01-01T00:00:00Z')
    .option('--json', 'print what was written as JSON', false)
    .action(async (_flags: unknown, command: Command) => runTape(command.optsWithGlobals(), context));
}

async function runSandbox(flags: SandboxFlags, context: CliContext): Promise<void> {
  const options = await toOptions(flags, context);
  const running = await (await context.app()).sandbox.start(options);
  announce(running, flags.json, context);
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await running.close();
}

function announce({ url, symbols }: RunningSandbox, asJson: boolean, { io }: CliContext): void {
  if (asJson) printJson(io, { url, symbols });
  else io.out(`The sandbox answers at ${url} with ${symbols.join(', ')}\n`);
}

async function runTape(flags: AllTapeFlags, context: CliContext): Promise<void> {
  for (const name of ['port', 'symbols', 'history', 'tape', 'speed'] as const)
    if (flags[name] !== undefined) throw new UsageError(`--${name} means nothing to \`sandbox tape\``);
  const written = await (
    await context.app()
  ).sandbox.writeTape({
    symbol: parseSymbols(flags.symbol, '--symbol')[0] ?? '',
    trades: parseNumber(flags.trades, '--trades', { min: 1, max: 1e9, isWhole: true }),
    file: flags.out,
    seed: flags.seed,
    ratePerSecond: parseRate(flags.rate),
    begin: parseTime(flags.begin),
    signal: context.signal,
  });
  if (flags.json) printJson(context.io, written);
  else
    context.io.out(
      `${written.trades} trades, ids ${written.firstId} to ${written.lastId}, in ${written.file}\n`,
    );
}

async function toOptions(flags: SandboxFlags, context: CliContext): Promise<SandboxOptions> {
  return {
    host: flags.host,
    port:
      flags.port === undefined
        ? (await context.config()).native.ports.sandbox
        : parseNumber(flags.port, '--port', { min: 0, max: 65_535, isWhole: true }),
    tape: flags.tape === undefined ? generated(flags) : recorded(flags, flags.tape),
    klineFiles: flags.klines,
    hasRequestLimit: flags.requestLimit,
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
    begin: flags.begin === undefined ? { historyMinutes: history } : { time: parseTime(flags.begin) },
  };
}

function recorded(flags: SandboxFlags, files: readonly string[]): SandboxOptions['tape'] {
  for (const name of ['symbols', 'rate', 'seed', 'history', 'begin'] as const)
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

const parseRate = (text: string): number =>
  parseNumber(text, '--rate', { min: 0.01, max: 10_000, isWhole: false });

function parseNumber(
  text: string,
  flag: string,
  { min, max, isWhole }: { readonly min: number; readonly max: number; readonly isWhole: boolean },
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new UsageError(`${flag} ${text} is not a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}`);
}

function parseSymbols(text: string, flag: string): string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim().toUpperCase()))];
  const wrong = names.find((name) => !SYMBOL.test(name));
  if (wrong === undefined) return names;
  throw new UsageError(`${flag} ${text}: '${wrong}' is not a symbol`, {
    nextStep: 'Type them like BTCUSDT,ETHUSDT.',
  });
}

function parseTime(text: string): number {
  // Without a zone a time is UTC, whatever the computer's own zone is.
  const isLocal = /T[\d:.]+$/.test(text);
  const time = /^\d{12,13}$/.test(text) ? Number(text) : Date.parse(isLocal ? `${text}Z` : text);
  if (time >= Date.UTC(2017, 0, 1)) return time;
  throw new UsageError(`--begin ${text} is not a time from 2017 on`, {
    nextStep: 'Type it like 2024-08-08T23:54:00Z, or as epoch ms.',
  });
}
