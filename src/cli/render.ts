import type { Command } from 'commander';
import { renderJob } from '../commands/render.js';
import { findJob } from '../core/job.js';
import type { CliContext } from './context.js';
import { collect } from './flags.js';
import { printJson } from './print.js';

/** `render JOB`: the rendered job on stdout. */
export function addRender(program: Command, context: CliContext): void {
  program
    .command('render <job>')
    .description('print the job as it would run')
    .option('-p, --param <name=value>', 'set a parameter of the job; may be repeated', collect, [])
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe render streaming -p mode=available-now')
    .action(async (name: string, flags: { readonly param: readonly string[]; readonly json: boolean }) => {
      const { templates, jobs } = await context.app();
      const rendered = renderJob(templates, findJob(name, jobs), flags.param);
      if (flags.json) printJson(context.io, { job: name, ...rendered });
      else context.io.out(rendered.text, 'data');
    });
}
