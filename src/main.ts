#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { flushed } from './cli/process-end.js';
import { runCli } from './cli/program.js';

const stop = new AbortController();
let interrupts = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    interrupts += 1;
    if (interrupts > 1) process.exit(130);
    process.stderr.write('\nstopping; once more leaves at once\n');
    stop.abort(name);
  });
}
// A background command ends in order, as after a signal, when its supervisor wants its end or is gone itself.
process.on('disconnect', () => stop.abort('disconnect'));
if ((process.connected as boolean | undefined) === false) stop.abort('disconnect');
process.channel?.unref();
// `cryptopipe … | head` closes our stdout early; that is no bug of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// Without a reader of stderr there is nothing left to report; the result on stdout goes on.
process.stderr.on('error', () => undefined);

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const exitCode = await runCli({
  argv: process.argv.slice(2),
  // eslint-disable-next-line no-restricted-properties -- the one place that reads it and hands it on
  env: process.env,
  io: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    isOutputTerminal: process.stdout.isTTY,
    useColor: process.stdout.isTTY && process.stdout.hasColors(),
  },
  signal: stop.signal,
  version,
});
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// A connection that is still open keeps no process whose answer is printed.
process.exit(exitCode);
