import { runCli } from '../../src/cli/program.js';

export interface CliResult {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** One command line in this process, with an environment of its own. */
export async function callCli(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CliResult> {
  let [out, err] = ['', ''];
  const exitCode = await runCli({
    argv,
    env,
    io: { out: (text) => (out += text), err: (text) => (err += text), isTerminal: false, useColor: false },
    signal: new AbortController().signal,
    version: '0.0.0',
  });
  return { exitCode, out, err };
}
