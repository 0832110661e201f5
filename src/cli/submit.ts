import type { Command } from 'commander';
import { replace } from '../commands/replace.js';
import { submit } from '../commands/submit.js';
import { UsageError } from '../core/errors.js';
import type { CliContext } from './context.js';
import { collect } from './flags.js';
import { addSubmitSql } from './submit-sql.js';
import { addSubmitPrograms } from './submit-programs.js';
import {
  jobSubmission,
  printRequest,
  registerTimeoutOf,
  withRunFlags,
  waitAndPrint,
  type RunFlags,
} from './submission.js';

interface SubmitFlags extends RunFlags {
  readonly param: readonly string[];
  readonly replace: boolean;
  readonly newCheckpoint: boolean;
  readonly supervise?: boolean;
}

/** How long the old run may take to its next batch boundary. */
const stopTimeoutMs = 180_000;

/** `submit JOB` and its kin: renders, stores, posts once, and says what runs. */
export function addSubmit(program: Command, context: CliContext): void {
  const command: Command = withRunFlags(
    program
      .command('submit [job]')
      .usage('[options] <job>')
      .description('start a job on Spark; a run of a job that may run only once at a time is left as it is')
      .option('-p, --param <name=value>', 'set a parameter of the job; may be repeated', collect, [])
      .option(
        '--replace',
        'stop the run that lives at a batch boundary, and start this one in its place',
        false,
      )
      .option(
        '--new-checkpoint',
        'with --replace: begin with an empty checkpoint, the old one is moved aside',
        false,
      )
      .option('--supervise', 'Spark starts the driver again when it ends badly')
      .option(
        '--no-supervise',
        'it does not; without either, as the job says, or with --replace as the run that lives',
      ),
  )
    .addHelpText('after', '\nExample: cryptopipe submit streaming --dry-run')
    .action((name: string | undefined, flags: SubmitFlags) =>
      name === undefined ? command.help({ error: true }) : run(context, name, flags),
    );
  addSubmitSql(command, context);
  addSubmitPrograms(command, context);
}

async function run(context: CliContext, name: string, flags: SubmitFlags): Promise<void> {
  if (flags.newCheckpoint && !flags.replace)
    throw new UsageError('--new-checkpoint goes with --replace', {
      nextStep: 'Add --replace: it also starts a job that does not run.',
    });
  const submission = await jobSubmission(context, name, flags.param);
  const { job, ports, options: asDeclared } = submission;
  const supervise = flags.supervise ?? asDeclared.work.supervise;
  const options = { ...asDeclared, work: { ...asDeclared.work, supervise } };
  if (flags.dryRun) {
    printRequest(context, options);
    return;
  }
  const call = { ...options, registerTimeoutMs: registerTimeoutOf(flags) };
  const submitted = flags.replace
    ? await replace(ports, job, {
        ...call,
        ...{ newCheckpoint: flags.newCheckpoint, supervise: flags.supervise, stopTimeoutMs },
        jobsDir: (await context.config()).jobsDir,
      })
    : await submit(ports, call);
  await waitAndPrint(context, submission, submitted, flags);
}
