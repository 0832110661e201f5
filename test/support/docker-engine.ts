import { execa } from 'execa';

const ask = async (args: readonly string[]): Promise<{ failed: boolean; text: string }> => {
  const { failed, all, shortMessage } = await execa('docker', args, {
    reject: false,
    all: true,
    timeout: 30_000,
  });
  return { failed, text: all.split('\n').find((line) => line.trim() !== '') ?? shortMessage ?? '' };
};

/** Why `docker compose` cannot be called here; undefined where it can. It needs no engine for `config`. */
export async function missingCompose(): Promise<string | undefined> {
  const { failed, text } = await ask(['compose', 'version']);
  return failed ? text : undefined;
}

/** Why no stack can be started in Docker here; undefined where it can. */
export async function missingEngine(): Promise<string | undefined> {
  const { failed, text } = await ask(['version', '--format', '{{.Server.Version}}']);
  return (await missingCompose()) ?? (failed ? text : undefined);
}
