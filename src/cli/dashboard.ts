import type { Command } from 'commander';
import { dashboard } from '../commands/dashboard.js';
import type { CliContext } from './context.js';
import { portNumber } from './flags.js';
import { printJson } from './print.js';

interface DashboardFlags {
  readonly port?: number;
  readonly json: boolean;
}

const help = `
One page, on this computer alone, that shows what PostgreSQL holds and brings itself up to date: candles and how well each is
proven, volume, the age of the newest trade, holes and runs. It needs no internet.

Example: cryptopipe dashboard`;

/** `dashboard`: serves the page until Ctrl-C. */
export function addDashboard(program: Command, context: CliContext): void {
  program
    .command('dashboard')
    .description('serve a page with live candles and how well each is proven, until Ctrl-C')
    .option('--port <n>', 'port to listen on (default: 8091 and the port offset)', portNumber)
    .option('--symbols <list>', 'shown first; default CRYPTO_SYMBOL')
    .option('--json', 'print the address as JSON', false)
    .addHelpText('after', help)
    .action(async ({ port, json }: DashboardFlags) => {
      const { config, dashboardData: data, pageServer: server, clock } = await context.app();
      const { io, signal } = context;
      await dashboard(
        { data, server, clock },
        {
          port: port ?? config.native.ports.dashboard,
          symbols: config.symbols,
          onStart: ({ url }) => {
            if (json) printJson(io, { url });
            else io.out(`The dashboard is at ${url}\n`);
          },
          signal,
        },
      );
    });
}
