import { InvalidArgumentError, type Command } from 'commander';
import { programWork, type ProgramCall } from '../commands/program-work.js';
import type { JobResources } from '../core/job.js';
import type { CliContext } from './context.js';
import { collect, flagsOf, positiveInteger } from './flags.js';
import { printOutcome, submitWork, withRunFlags, type RunFlags } from './submission.js';

/** What `withResourceOptions` adds. */
export interface ResourceFlags {
  readonly driverMemory?: string;
  readonly driverCores?: number;
  readonly executorMemory?: string;
  readonly executorCores?: number;
  readonly cores?: number;
}

interface ProgramFlags extends RunFlags, ResourceFlags {
  readonly class?: string;
  readonly jar: readonly string[];
  readonly pyFile?: readonly string[];
  readonly conf: readonly string[];
  readonly name?: string;
  readonly single: boolean;
  readonly supervise: boolean;
}

function sparkMemory(text: string): string {
  if (!/^[1-9]\d{0,5}[mg]$/.test(text)) throw new InvalidArgumentError('It is not like 512m or 2g.');
  return text;
}

function className(text: string): string {
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)*$/u.test(text))
    throw new InvalidArgumentError('It is not the name of a class, like org.example.Main.');
  return text;
}

/** Adds what a run may take of the cluster. */
export function withResourceOptions(command: Command): Command {
  return command
    .option('--driver-memory <size>', 'of the driver (1g)', sparkMemory)
    .option('--driver-cores <n>', 'of the driver (1)', positiveInteger)
    .option('--executor-memory <size>', 'of each executor (1g)', sparkMemory)
    .option('--executor-cores <n>', 'of each executor (2)', positiveInteger)
    .option('--cores <n>', 'of all executors together (2)', positiveInteger);
}

/** Only what was said, so that the rest keeps its default. */
export function resourcesOf(flags: ResourceFlags): Partial<JobResources> {
  const { driverMemory, driverCores, executorMemory, executorCores, cores: coresMax } = flags;
  return Object.fromEntries(
    Object.entries({ driverMemory, driverCores, executorMemory, executorCores, coresMax }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

function withProgramOptions(command: Command): Command {
  return withRunFlags(
    withResourceOptions(
      command
        .option('--jar <place>', 'a JAR for driver and executors; may be repeated', collect, [])
        .option('-c, --conf <name=value>', 'a Spark setting; may be repeated', collect, [])
        .option('--name <name>', 'in the book of runs; without it the name of the file')
        .option('--single', 'at most one live run of this name; one that lives is left as it is', false)
        .option('--supervise', 'Spark starts the driver again when it ends badly', false),
    ),
  );
}

/** `submit jar` and `submit python`: programs that exist already. */
export function addSubmitPrograms(submit: Command, context: CliContext): void {
  withProgramOptions(
    submit
      .command('jar <place> [arguments...]')
      .description('run a JAR: a file of this computer, or an address that the workers reach')
      .requiredOption('--class <name>', 'the class whose main method is called', className),
  )
    .addHelpText('after', '\nExample: cryptopipe submit jar pi.jar --class org.example.Pi --wait -- 100')
    .action((place: string, args: string[], _: unknown, command: Command) =>
      run(context, 'jar', place, args, flagsOf(command) as ProgramFlags),
    );
  withProgramOptions(
    submit
      .command('python <place> [arguments...]')
      .description('run a Python program: a file of this computer, or an address that the workers reach')
      .option('--py-file <place>', 'a module, zip or egg to import from; may be repeated', collect, []),
  )
    .addHelpText('after', '\nExample: cryptopipe submit python pi.py --wait -- 100')
    .action((place: string, args: string[], _: unknown, command: Command) =>
      run(context, 'python', place, args, flagsOf(command) as ProgramFlags),
    );
}

async function run(
  context: CliContext,
  kind: ProgramCall['kind'],
  file: string,
  args: readonly string[],
  flags: ProgramFlags,
): Promise<void> {
  const app = await context.app({ isPatient: true });
  const { jar: jars, pyFile: pyFiles = [], conf, name, single, supervise, class: mainClass } = flags;
  const call = { kind, file, args, jars, pyFiles, conf, name, single, supervise, mainClass };
  const work = await programWork(
    app.localFiles,
    { ...call, resources: resourcesOf(flags) },
    app.jobs.map((job) => job.name),
  );
  const submitted = await submitWork(context, work, flags);
  if (submitted !== undefined) printOutcome(context, submitted, flags.json);
}
