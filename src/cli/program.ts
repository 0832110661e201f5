import { Command, CommanderError } from 'commander';
import type { App } from '../compose.js';
import type { Config, ConfigFlags } from '../config.js';
import { CryptopipeError, InterruptedError } from '../core/errors.js';
import type { KnownSecret } from '../core/secrets.js';
import type { AppUse, CliContext } from './context.js';
import { guarded, type Io } from './io.js';
import { addCheck } from './check.js';
import { addDashboard } from './dashboard.js';
import { addDemo } from './demo.js';
import { addHeal } from './heal.js';
import { addInit } from './init.js';
import { addJobs } from './jobs.js';
import { addLake } from './lake.js';
import { addLogs } from './logs.js';
import { addPlan } from './plan.js';
import { addProduce } from './produce.js';
import { outageLines } from './outage-lines.js';
import { closeInTime, interruptible } from './process-end.js';
import { addPrune } from './prune.js';
import { addRender } from './render.js';
import { addRuns } from './runs.js';
import { addSandbox } from './sandbox.js';
import { addStack } from './stack.js';
import { addStatus } from './status.js';
import { addStop } from './stop.js';
import { addSubmit } from './submit.js';
import { addVerify } from './verify.js';

/** In the order in which a person meets them. */
const commands = [
  addDemo,
  addStack,
  addInit,
  addSandbox,
  addProduce,
  addJobs,
  addRender,
  addCheck,
  addPlan,
  addSubmit,
  addStatus,
  addRuns,
  addLogs,
  addStop,
  addDashboard,
  addVerify,
  addHeal,
  addLake,
  addPrune,
];

const exitCodes = `
Exit codes: 0 done · 1 a bug of ours · 2 wrong usage · 3 wrong configuration · 4 a system did not answer ·
            5 the job failed, or the data are not as they should be · 130 ended by Ctrl-C`;

interface GlobalFlags extends ConfigFlags {
  readonly debug: boolean;
}

/** What one call of the program needs from the process. */
export interface CliCall {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly io: Io;
  readonly signal: AbortSignal;
  readonly version: string;
}

/** The command tree; `context` is asked only when a command runs. */
export function buildProgram(context: CliContext, version: string): Command {
  const program = new Command('cryptopipe')
    .description(
      'Collects every trade, builds bars that prove themselves, and tells the truth about its jobs.',
    )
    .version(version, '--version')
    .option(
      '--port-offset <n>',
      'add n to every port of the native stack (below 22,000, or the system may hand one out)',
    )
    .option('--data-dir <folder>', 'where the native stack keeps data, logs and state')
    .option('--jobs <folder>', 'where your own jobs lie, beside those that are shipped')
    .option('-d, --debug', 'show the stack trace of an error', false)
    .helpOption('-h, --help')
    .showSuggestionAfterError()
    .showHelpAfterError('(--help shows what may be typed)')
    .addHelpText('after', exitCodes);
  for (const add of commands) add(program, context);
  return program;
}

/** Runs one command line to its end and returns the exit code; prints every expected error in the same form. */
export async function runCli(call: CliCall): Promise<number> {
  let exitCode = 0;
  let flags: ConfigFlags = {};
  let config: Promise<Config> | undefined;
  let app: Promise<App> | undefined;
  let secrets: readonly KnownSecret[] = [];
  let commandName = '';
  const io = guarded(call.io, () => secrets);
  const context: CliContext = {
    io,
    signal: call.signal,
    // Loaded on first use: `--help` and a typo need neither the schema of the settings nor a client of any server.
    config: () =>
      (config ??= import('../config.js').then(({ loadConfig }) => {
        const loaded = loadConfig(flags, call.env);
        secrets = loaded.secrets;
        for (const warning of loaded.warnings) io.err(`warning: ${warning}\n`);
        return loaded;
      })),
    app: (use) => (app ??= openApp(context.config(), io, use)),
    setExitCode: (code) => (exitCode = code),
  };
  const program: Command = buildProgram(context, call.version);
  route(program, io);
  // A command's own flags reach the configuration by their names alone: `--symbols` of any command is CRYPTO_SYMBOL.
  program.hook('preAction', (_program, command) => {
    flags = command.optsWithGlobals<ConfigFlags>();
    commandName = (command.parent === program ? command : command.parent)?.name() ?? '';
  });
  try {
    const ended = program.parseAsync(call.argv, { from: 'user' });
    await interruptible(ended, call.signal, () => commandName);
    return exitCode;
  } catch (error) {
    if (isInterrupted(error, call.signal)) return 130;
    return printError(error, io, program.opts<GlobalFlags>().debug);
  } finally {
    io.flush();
    if (app !== undefined)
      await closeInTime(
        app.then((opened) => opened.close()),
        call.signal,
      );
  }
}

/** Longer than a restart of a server takes, and short enough for a user who did not start it. */
const serverPatienceMs = 10_000;

/** Waits for both at once: a configuration that is wrong says so before the adapters are loaded, when nobody else listens. */
async function openApp(loading: Promise<Config>, io: Io, use?: AppUse): Promise<App> {
  const [config, { createApp }] = await Promise.all([loading, import('../compose.js')]);
  if (use?.isPatient !== true) return createApp(config);
  const app = createApp(config, { serverPatienceMs });
  app.outages.listen(outageLines(use.outages ?? ((line) => io.err(`${line}\n`))));
  return app;
}

/** A wait that the user's Ctrl-C ended: it was said already, and it is no failure. */
function isInterrupted(error: unknown, signal: AbortSignal): boolean {
  return (
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
  );
}

/** Every sub-command writes to our streams and throws instead of ending the process. */
function route(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  command.commands.forEach((inner) => route(inner, io));
}

function printError(error: unknown, io: Io, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof CryptopipeError)) {
    io.err(`This is a bug of cryptopipe, please report it:\n${(error as Error).stack ?? String(error)}\n`);
    return 1;
  }
  if (error.logTail !== undefined) io.err(`${error.logTail.trimEnd()}\n`);
  io.err(`${error instanceof InterruptedError ? '' : 'error: '}${error.message}\n`);
  if (error.nextStep !== undefined) io.err(`${error.nextStep}\n`);
  if (debug)
    io.err(
      `${error.stack ?? ''}\n${error.cause === undefined ? '' : `caused by ${describe(error.cause)}\n`}`,
    );
  return error.exitCode;
}

const describe = (cause: unknown): string =>
  cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
