import type { Command } from 'commander';
import { checkFile, checkJobs, type CheckPorts } from '../commands/check.js';
import { exitCodeOf, type CheckReport } from '../commands/check/report.js';
import type { App } from '../compose.js';
import { UnreachableError, UsageError } from '../core/errors.js';
import type { WorkerSize } from '../core/fits-workers.js';
import type { SkippedCheck } from '../core/ports/check.js';
import { problemLine } from '../core/problem.js';
import type { CliContext } from './context.js';
import { collect } from './flags.js';
import { printJson } from './print.js';

interface CheckFlags {
  readonly param: readonly string[];
  readonly master: boolean;
  readonly allowSkipped: boolean;
  readonly json: boolean;
}

const help = `
Examples: cryptopipe check
          cryptopipe check sql daily.sql -p day=2026-01-01
          cryptopipe check python pi.py --master

Exits with 0 when nothing is wrong, with 2 when only what was typed is, with 3 when a file is or when a check could
not be made (see --allow-skipped), with 4 when all is well but the master of --master did not answer.`;

/** `check`, `check JOB`, `check sql FILE`, `check python FILE`: what is wrong, before anything runs. */
export function addCheck(program: Command, context: CliContext): void {
  program
    .command('check [job] [file]')
    .description('find what is wrong, without a cluster: with all jobs, one, `sql FILE`, or `python FILE`')
    .option('-p, --param <name=value>', 'set a parameter, as for submit; may be repeated', collect, [])
    .option('--master', 'compare resources with the workers of the master at SPARK_UI_URL', false)
    .option('--allow-skipped', 'exit 0 although a check could not be made', false)
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', help)
    .action((job: string | undefined, file: string | undefined, flags: CheckFlags) =>
      run(context, job, file, flags),
    );
}

async function run(
  context: CliContext,
  job: string | undefined,
  file: string | undefined,
  flags: CheckFlags,
): Promise<void> {
  const kind = file === undefined ? undefined : fileKind(job, file);
  if (job === undefined && flags.param.length > 0)
    throw new UsageError('--param is for one job', {
      nextStep: 'Name it: cryptopipe check JOB -p name=value',
    });
  const app = await context.app();
  const ports: CheckPorts = {
    ...{ catalogue: app.catalogue, templates: app.templates, inspector: app.templateInspector },
    ...{ texts: app.textChecker, files: app.textFiles },
  };
  const { signal } = context;
  const overrides = flags.param;
  const started = performance.now();
  const { workers, skipped } = flags.master ? await askMaster(app, signal) : nobodyAsked;
  const found =
    kind === undefined || file === undefined
      ? await checkJobs(ports, { job, overrides, workers, signal })
      : await checkFile(ports, { file, kind, overrides, workers, signal });
  const report = { ...found, skipped: [...found.skipped, ...skipped] };
  const exitCode = exitCodeOf(report, flags.allowSkipped);
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) printJson(context.io, { isGood: exitCode === 0, seconds, ...report });
  else print(context, report, seconds);
  context.setExitCode(exitCode);
}

function fileKind(word: string | undefined, file: string): 'sql' | 'python' {
  if (word === 'sql' || word === 'python') return word;
  throw new UsageError(`check ${word ?? ''} takes no file ${file}`, {
    nextStep: 'cryptopipe check JOB, cryptopipe check sql FILE, or cryptopipe check python FILE',
  });
}

interface MasterAnswer {
  readonly workers: readonly WorkerSize[] | undefined;
  readonly skipped: readonly SkippedCheck[];
}

const nobodyAsked: MasterAnswer = { workers: undefined, skipped: [] };

async function askMaster(app: App, signal: AbortSignal): Promise<MasterAnswer> {
  try {
    const { workers } = await app.spark.master(signal);
    return { workers: workers.filter(({ state }) => state === 'ALIVE'), skipped: [] };
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    const { message: why, nextStep = 'Check without --master.' } = error;
    return { workers: undefined, skipped: [{ what: 'resources', why, nextStep }] };
  }
}

function print({ io }: CliContext, report: CheckReport, seconds: number): void {
  for (const problem of report.problems) {
    io.out(`${problemLine({ ...problem, message: `${problem.kind}: ${problem.message}` })}\n`);
    if (problem.nextStep !== undefined) io.out(`  ${problem.nextStep}\n`);
  }
  for (const { what, why, nextStep } of report.skipped)
    io.out(`not checked: ${what}: ${why}\n  ${nextStep}\n`);
  const count = report.problems.length;
  const what = count === 0 ? 'no problem' : count === 1 ? '1 problem' : `${count} problems`;
  const rest = report.skipped.length === 0 ? '' : '; not everything was checked';
  io.out(`${what} in ${report.checked.join(', ') || 'the catalogue'}${rest}\n`);
  if (report.madeUp.length > 0) io.err(`with a made-up value for ${report.madeUp.join(', ')}\n`);
  const cold = report.isWarm === false ? "; Spark's parser was started cold, the next call is faster" : '';
  io.err(`${report.statements} SQL texts, ${seconds.toFixed(1)} s${cold}\n`);
}
