import type { Command } from 'commander';
import { stop } from '../commands/stop.js';
import type { CliContext } from './context.js';
import { positiveInteger } from './flags.js';
import { printJson } from './print.js';

interface StopFlags {
  readonly kill: boolean;
  readonly timeout: number;
  readonly json: boolean;
}

/** `stop RUN`: ends a run at its next batch boundary. */
export function addStop(program: Command, context: CliContext): void {
  program
    .command('stop <run>')
    .description("end a run at a batch boundary: a run id, or a job's name for its newest run that lives")
    .option('--kill', 'end its driver at once', false)
    .option('--timeout <seconds>', 'how long to wait for its end', positiveInteger, 60)
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe stop streaming')
    .action(async (run: string, flags: StopFlags) => {
      const stopped = await stop(await context.app({ isPatient: true }), {
        run,
        kill: flags.kill,
        timeoutMs: flags.timeout * 1000,
        signal: context.signal,
      });
      if (flags.json) {
        printJson(context.io, stopped);
        return;
      }
      const { runId, state, error } = stopped.run;
      const reason = error === undefined ? '' : `: ${error}`;
      context.io.out(`run ${runId} ${stopped.wasLive ? 'is' : 'was already'} ${state}${reason}\n`);
    });
}
