import type { Command } from 'commander';
import { UsageError } from '../core/errors.js';
import type { RunningSandbox } from '../core/ports/sandbox.js';
import type { CliContext } from './context.js';
import { printJson } from './print.js';
import { DEFAULTS, toOptions, type SandboxFlags } from './sandbox-options.js';
import { parseNumber, parseOddities, parseRate, parseSymbols, parseTime } from './sandbox-values.js';

interface TapeFlags {
  readonly symbol: string;
  readonly trades: string;
  readonly out: string;
  readonly seed: string;
  readonly rate: string;
  readonly begin: string;
  readonly odd?: string;
  readonly halt?: readonly string[];
  readonly json: boolean;
}

/** commander reads the flags that `sandbox` and `sandbox tape` share as those of `sandbox`, so both are looked at. */
type AllTapeFlags = TapeFlags & Partial<SandboxFlags>;

const example = `
Examples:
  cryptopipe sandbox --symbols BTCUSDT,ETHUSDT --history 15
  cryptopipe sandbox --tape BTCUSDT-aggTrades-2024-08-08.csv.gz --speed 60
Faults on request: POST /sandbox/faults. GET lists them, DELETE takes them back, and GET /sandbox/faults/log has what they met.
  curl -d '{"status":429,"retryAfterSeconds":2,"count":2}' http://127.0.0.1:8090/sandbox/faults
The next "count" requests (1), or those of a "path" alone:
  {"status":418,"retryAfterSeconds":1200,"header":false}   the time in the text alone; 403, 429, 451, 500 and 502 to 504 likewise
  {"delayMs":500}  {"drop":true}
  {"body":"html"}   status 200 with a web page; "half" and "empty": of the JSON; "huge": 128 MiB after decompression;
                    "unreadable": the first trade has the price 1e-8
The next "count" messages of a stream (1), or the connection itself:
  {"stream":"drop"}  "double"  "reorder"  "unreadable"   "far-id": after each, one more with an id near 2^53
  {"stream":"silence","seconds":5}  {"stream":"close","code":1006}, 1001 or 1008
  {"stream":"shutdown","afterSeconds":2}  {"stream":"cut","afterSeconds":2}
At once, for so many seconds:
  {"rest":"outage","seconds":3}     "how":"503", "drop", "403", "ban" (418 until the end), "html", "half", "empty" or "huge"
  {"stream":"outage","seconds":3}   no stream connection; "how":"drop", "403" or "503"
  {"exchange":"outage","seconds":3} nothing listens on the port, not even for these requests
  {"symbol":"BTCUSDT","status":"HALT","seconds":3}   or "BREAK", in exchangeInfo; "REMOVED": unknown everywhere`;

/** `sandbox` runs the stand-in exchange until a signal; `sandbox tape` writes a generated tape to a file. */
export function addSandbox(program: Command, context: CliContext): void {
  const sandbox = program
    .command('sandbox')
    .description('runs a stand-in exchange on this computer, over a generated or a recorded tape')
    .option('--port <n>', 'port to listen on (default: 8090 and the port offset)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--allow-host <name...>',
      'further names under which it is called, such as that of a container',
      [],
    )
    .option('--symbols <list>', `symbols of the generated tape (default: ${DEFAULTS.symbols})`)
    .option('--rate <n>', `its trades a second and symbol (default: ${DEFAULTS.rate})`)
    .option('--seed <text>', `what it is made from (default: ${DEFAULTS.seed})`)
    .option('--history <minutes>', `how long ago it begins (default: ${DEFAULTS.history})`)
    .option('--begin <time>', 'when it begins: ISO 8601 or epoch ms')
    .option(
      '--odd <kinds>',
      'with bursts of 735 trades in a millisecond, rows with first id -1, and halts: burst,neutralised,halt',
    )
    .option('--halt <from,to...>', 'without trades and klines between two whole minutes')
    .option('--tape <file...>', 'play recorded files SYMBOL-aggTrades-….csv, .csv.gz or .zip instead')
    .option('--speed <n>', 'play them so many times faster (default: 1)')
    .option('--all-at-once', 'have all of them there from the start', false)
    .option('--klines <file...>', 'files SYMBOL-INTERVAL-….csv, .csv.gz or .zip to answer klines from', [])
    .option('--no-request-limit', 'never answer 429 for too much request weight or too many connects')
    .option('--stream-lifetime <s>', 'end a stream connection after so long (default: 86400)')
    .option('--chaos <seed:rate>', 'short faults, at this rate per minute (default: 6)')
    .option('--archive-holes <n>', 'leave so many stretches of ids out of each archive file of trades', '0')
    .option('--archive-today', 'have archive files of the day that has begun, as far as the tape went', false)
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
    .option('--odd <kinds>', 'burst,neutralised,halt')
    .option('--halt <from,to...>', 'without trades between two whole minutes')
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
  for (const name of ['port', 'symbols', 'history', 'tape', 'speed', 'chaos'] as const)
    if (flags[name] !== undefined) throw new UsageError(`--${name} means nothing to \`sandbox tape\``);
  const written = await (
    await context.app()
  ).sandbox.writeTape({
    symbol: parseSymbols(flags.symbol, '--symbol')[0] ?? '',
    trades: parseNumber(flags.trades, '--trades', { min: 1, max: 1e9, isWhole: true }),
    file: flags.out,
    seed: flags.seed,
    ratePerSecond: parseRate(flags.rate),
    begin: parseTime(flags.begin, '--begin'),
    oddities: parseOddities(flags),
    signal: context.signal,
  });
  if (flags.json) printJson(context.io, written);
  else
    context.io.out(
      `${written.trades} trades, ids ${written.firstId} to ${written.lastId}, in ${written.file}\n`,
    );
}
