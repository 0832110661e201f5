import { InvalidArgumentError, Option, type Command } from 'commander';
import { stackEnvironment } from '../commands/stack-environment.js';
import {
  optionalServers,
  serverNames,
  type OptionalServer,
  type ProcessReport,
  type ServerName,
  type StackCall,
} from '../core/ports/stack.js';
import { restartsText } from '../core/restarts.js';
import type { CliContext } from './context.js';
import { printJson, printTable } from './print.js';

interface JsonFlag {
  readonly json?: boolean;
}
interface ServerFlags extends JsonFlag {
  readonly only?: ServerName[];
  readonly with?: OptionalServer[];
}

/** Reads a comma list of names, each one of these. */
const listOf =
  <Name extends string>(names: readonly Name[]) =>
  (text: string): Name[] =>
    text.split(',').map((part) => {
      const found = names.find((name) => name === part.trim());
      if (found === undefined) throw new InvalidArgumentError(`Servers: ${names.join(', ')}.`);
      return found;
    });

function parseLines(text: string): number {
  const lines = Number(text);
  if (!Number.isInteger(lines) || lines < 1) throw new InvalidArgumentError('A whole number from 1 on.');
  return lines;
}

/** Which servers a command is about. */
const withServers = (command: Command): Command =>
  command
    .addOption(
      new Option('--only <servers>', 'these servers (comma list) and what they need').argParser(
        listOf(serverNames),
      ),
    )
    .addOption(
      new Option(
        '--with <servers>',
        `beside them, what starts only when it is named: ${optionalServers.join(', ')}`,
      ).argParser(listOf(optionalServers)),
    );

/** `cryptopipe stack …`: the real servers, as processes of this computer or in Docker. */
export function addStack(program: Command, context: CliContext): void {
  const stack = program.command('stack').description('the servers, as plain processes or in Docker');
  const callOf = ({ only, with: more }: ServerFlags): StackCall => ({
    say: (line) => context.io.err(`${line}\n`),
    signal: context.signal,
    only,
    with: more,
  });
  withServers(stack.command('install'))
    .description('download what is missing, and jars whose checksum differs, into the cache folder')
    .option('--json', 'one JSON document on stdout')
    .action(async (flags: ServerFlags) => {
      const app = await context.app();
      await app.stack.install(callOf(flags));
      if (flags.json === true)
        printJson(context.io, { only: flags.only, with: flags.with, cacheDir: app.config.native.cacheDir });
      else
        context.io.err(
          `installed. Next: cryptopipe stack up${app.config.stack === 'docker' ? ' --docker' : ''}\n`,
        );
    });
  withServers(stack.command('up'))
    .description('start what does not run, and wait until each server answers')
    .option('--json', 'one JSON document on stdout')
    .action(async (flags: ServerFlags) => {
      const { stack: servers, background } = await context.app();
      const running = await servers.up(callOf(flags));
      const resumed = await background.resume(context.signal);
      for (const { name } of resumed)
        context.io.err(`${name}: had ended without an order and was started again\n`);
      printProcesses(context, flags, [
        ...running.filter(({ name }) => !resumed.some((one) => one.name === name)),
        ...resumed,
      ]);
    });
  addDown(stack, context);
  addReaders(stack, context);
  for (const command of stack.commands)
    command.option('--docker', 'the servers of docker-compose.yml; as CRYPTOPIPE_STACK=docker');
}

function addDown(stack: Command, context: CliContext): void {
  stack
    .command('down')
    .description('stop every server and background process; data stays')
    .option('--json', 'one JSON document on stdout')
    .action(async (flags: JsonFlag) => {
      const stopped = await (await context.app()).stack.down({ say: (line) => context.io.err(`${line}\n`) });
      if (flags.json === true) printJson(context.io, { stopped });
      else if (stopped.length === 0) context.io.err('nothing was running\n');
    });
}

function addReaders(stack: Command, context: CliContext): void {
  stack
    .command('status')
    .description('what runs; exit code 5 when something died')
    .option('--json', 'one JSON document on stdout')
    .action(async (flags: JsonFlag) => {
      const processes = await (await context.app()).stack.status();
      printProcesses(context, flags, processes);
      if (processes.some(({ state }) => state === 'died' || state === 'unhealthy')) context.setExitCode(5);
    });
  stack
    .command('logs <server>')
    .description('the end of the log of a server or background process')
    .option('--lines <n>', 'how many lines', parseLines, 50)
    .option('--json', 'one JSON document on stdout')
    .action(async (server: string, flags: JsonFlag & { readonly lines: number }) => {
      const text = await (await context.app()).stack.logTail(server, flags.lines);
      if (flags.json === true) printJson(context.io, { server, lines: text.split('\n') });
      else context.io.out(`${text}\n`);
    });
  stack
    .command('env')
    .description('the variables with which other tools see this stack: eval "$(cryptopipe stack env)"')
    .option('--json', 'one JSON document on stdout')
    .action(async (flags: JsonFlag) => {
      const values = stackEnvironment(await context.config());
      if (flags.json === true) {
        printJson(context.io, values);
        return;
      }
      for (const [name, value] of Object.entries(values))
        context.io.out(`export ${name}=${quote(value)}\n`, 'data');
    });
}

const quote = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

function printProcesses(context: CliContext, flags: JsonFlag, processes: readonly ProcessReport[]): void {
  if (flags.json === true) {
    printJson(context.io, { processes });
    return;
  }
  const memory = processes.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? 0), 0);
  printTable(
    context.io,
    ['name', 'state', 'pid', 'version', 'ports', 'memory', 'log'],
    processes.map((process) => [
      process.name,
      process.state,
      process.pid?.toString() ?? '',
      process.version ?? '',
      Object.values(process.ports).join(' '),
      megabytes(process.memoryBytes),
      process.logPath,
    ]),
  );
  for (const process of processes) {
    const restarts = restartsText(process, Date.now());
    if (restarts !== undefined) context.io.err(`${restarts}\n`);
  }
  if (memory > 0) context.io.err(`memory of all: ${megabytes(memory)}\n`);
}

const megabytes = (bytes: number | undefined): string =>
  bytes === undefined ? '' : `${Math.round(bytes / 1e6)} MB`;
