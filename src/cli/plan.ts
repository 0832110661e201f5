import type { Command } from 'commander';
import { createTwoFilesPatch } from 'diff';
import { plan, type Plan } from '../commands/plan.js';
import type { CheckpointFate } from '../core/checkpoint.js';
import type { Change } from '../core/request-changes.js';
import type { CliContext } from './context.js';
import { collect } from './flags.js';
import { printJson, printTable } from './print.js';
import { jobSubmission } from './submission.js';

interface PlanFlags {
  readonly param: readonly string[];
  readonly supervise?: boolean;
  readonly json: boolean;
}

const registerTimeoutMs = 60_000;

/** `plan JOB`: what would change against what runs now. */
export function addPlan(program: Command, context: CliContext): void {
  program
    .command('plan <job>')
    .description('show what would change against the run that lives; nothing is started or stopped')
    .option('-p, --param <name=value>', 'set a parameter of the job; may be repeated', collect, [])
    .option('--supervise', 'Spark would start the driver again when it ends badly')
    .option('--no-supervise', 'it would not; without either, as the run that lives')
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe plan streaming -p hot_interval_ms=1000')
    .action(async (name: string, flags: PlanFlags) => {
      const { job, ports, options } = await jobSubmission(context, name, flags.param);
      const planned = await plan(ports, job, { ...options, registerTimeoutMs, supervise: flags.supervise });
      const diff = textDiff(planned);
      if (flags.json) printJson(context.io, documentOf(planned, diff));
      else print(context, planned, diff);
    });
}

/** All but the texts themselves and the files that would be stored. */
const documentOf = (planned: Plan, diff: string): Record<string, unknown> => ({
  ...planned,
  text: { diff, isKnown: planned.text.before !== undefined },
  work: undefined,
});

/** As `diff -u`; empty where both texts are the same or the earlier one is not known. */
function textDiff({ job, running, text }: Plan): string {
  if (text.before === undefined || text.before === text.after) return '';
  return createTwoFilesPatch(running?.runId ?? job, 'planned', text.before, text.after, '', '', {
    context: 3,
  });
}

function print(context: CliContext, planned: Plan, diff: string): void {
  const { io } = context;
  const { running, settings } = planned;
  if (!planned.isSingle) {
    io.out(`runs of ${planned.job} do not stand in each other's way: submit would start one more\n`);
    return;
  }
  if (running === undefined) {
    io.out(`no run of ${planned.job} lives: submit would start one${checkpointText(planned.checkpoint)}\n`);
    return;
  }
  const by = running.submittedBy === undefined ? '' : ` by ${running.submittedBy}`;
  io.out(
    `run ${running.runId} of ${planned.job} is ${running.state}, submitted ${running.createdAt.toISOString()}${by}\n`,
  );
  if (planned.isSame) {
    io.out('nothing would change\n');
    return;
  }
  printChanges(context, 'parameter', planned.parameters);
  if (settings === undefined)
    io.out('what it was sent was not written down: its settings cannot be compared\n');
  else printChanges(context, 'setting', settings);
  if (planned.text.before === undefined)
    io.out(`its text is gone from ${running.jobPath}: it cannot be compared\n`);
  else io.out(diff === '' ? 'the text is the same\n' : diff);
  io.out(
    `submit --replace would stop it at a batch boundary and start the new one${checkpointText(planned.checkpoint)}\n`,
  );
}

function printChanges(context: CliContext, what: string, changes: readonly Change[]): void {
  if (changes.length === 0) return;
  printTable(
    context.io,
    [what, 'now', 'planned'],
    changes.map(({ name, before, after }) => [name, before ?? '(none)', after ?? '(none)']),
  );
}

function checkpointText(checkpoint: CheckpointFate): string {
  switch (checkpoint.kind) {
    case 'none':
      return '';
    case 'kept':
      return `, on the same checkpoint ${checkpoint.address}`;
    case 'another':
      return `, on the checkpoint ${checkpoint.address}`;
    case 'unfit':
      return `; the checkpoint ${checkpoint.address} belongs to another ${checkpoint.because.join(' and ')}, so it needs --new-checkpoint`;
  }
}
