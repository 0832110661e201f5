import type { Command } from 'commander';
import { findJob, type Job } from '../core/job.js';
import type { JobParameter } from '../core/job-parameters.js';
import type { CliContext } from './context.js';
import { flagsOf } from './flags.js';
import { printJson, printTable } from './print.js';

/** `jobs` and `jobs show JOB`: what can be submitted. */
export function addJobs(program: Command, context: CliContext): void {
  const jobs = program
    .command('jobs')
    .description('list the jobs that can be submitted')
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe jobs show streaming')
    .action(async (flags: { readonly json: boolean }) => {
      const known = (await context.app()).jobs;
      if (flags.json) printJson(context.io, known.map(documentOf));
      else
        printTable(
          context.io,
          ['job', 'what it does', 'parameters'],
          known.map((job) => [job.name, job.meaning, job.parameters.map(({ name }) => name).join(' ')]),
        );
    });
  jobs
    .command('show <job>')
    .description('explain one job: its parameters, what it takes of the cluster, its Spark settings')
    .option('--json', 'print one JSON document', false)
    .action(async (name: string, _: unknown, command: Command) => {
      const flags = flagsOf(command) as { readonly json: boolean };
      const job = findJob(name, (await context.app()).jobs);
      if (flags.json) printJson(context.io, documentOf(job));
      else show(context, job);
    });
}

/** Everything of a job but what the configuration says of the servers. */
function documentOf(job: Job): Record<string, unknown> {
  const parameters = job.parameters.map((one) => ({ ...one, checks: checksOf(one) }));
  return { ...job, parameters, connection: undefined };
}

/** What a value of a parameter has to be, in a few words. */
function checksOf(parameter: JobParameter): string {
  switch (parameter.type) {
    case 'text':
      return parameter.pattern === undefined ? '' : `like ${parameter.pattern.source}`;
    case 'choice':
      return parameter.choices.join(' | ');
    case 'url':
      return parameter.schemes.map((scheme) => `${scheme}://`).join(' | ');
    case 'boolean':
      return 'true | false';
    case 'integer':
    case 'decimal':
    case 'date':
    case 'time':
      return [
        ...(parameter.min === undefined ? [] : [`from ${parameter.min}`]),
        ...(parameter.max === undefined ? [] : [`to ${parameter.max}`]),
      ].join(' ');
  }
}

function show({ io }: CliContext, job: Job): void {
  const { resources } = job;
  io.out(`${job.name}: ${job.meaning}\n`);
  io.out(job.single ? 'at most one run at a time' : 'as many runs at a time as there is room for');
  io.out(`${job.supervise ? ', started again when it ends badly' : ''}\n\n`);
  printTable(
    io,
    ['parameter', 'type', 'default', 'what it may be', 'meaning'],
    job.parameters.map((one) => [
      one.name,
      one.type,
      one.default ?? '(to be given)',
      checksOf(one),
      one.meaning,
    ]),
  );
  io.out(`\ndriver: ${resources.driverCores} cores, ${resources.driverMemory}; `);
  io.out(
    `executors: ${resources.coresMax} cores in all, ${resources.executorCores} and ${resources.executorMemory} each\n`,
  );
  for (const [name, value] of Object.entries(job.sparkSettings)) io.out(`${name}=${value}\n`);
  io.out(`application: ${job.appName}-<run id>\nmanifest: ${job.manifest}\ntemplate: ${job.template}\n`);
}
