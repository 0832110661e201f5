import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { program } from '../support/pipeline.js';
import { startPostgresStandIn } from '../support/postgres-stand-in.js';

/** Accepts every connection and never answers. */
interface SilentServer {
  readonly port: number;
  readonly server: Server;
  stop(): void;
}

async function startSilentServer(): Promise<SilentServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, server, stop };
}

interface HangingServers {
  readonly env: Record<string, string>;
  /** Resolves at the first connection to any of them. */
  readonly contact: Promise<void>;
  stop(): Promise<void>;
}

/** PostgreSQL takes a login and answers no statement, the others not even that. */
async function startHangingServers(): Promise<HangingServers> {
  const silent = await startSilentServer();
  const postgres = await startPostgresStandIn({ at: 'statement', error: 'hang' });
  const address = `127.0.0.1:${silent.port}`;
  return {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      KAFKA_BOOTSTRAP_SERVERS: address,
      PGHOST: postgres.address.host,
      PGPORT: String(postgres.address.port),
      WEBHDFS_URL: `http://${address}`,
      SPARK_REST_URL: `http://${address}`,
      SPARK_UI_URL: `http://${address}`,
      CRYPTOPIPE_SPARK_JARS: 'none.jar',
      PYSPARK_PYTHON: 'python3',
      CRYPTO_API_URL: `http://${address}`,
      CRYPTO_STREAM_URL: `ws://${address}`,
    },
    contact: new Promise((resolve) => {
      for (const { server } of [silent, postgres]) server.once('connection', () => resolve());
    }),
    stop: async () => {
      silent.stop();
      await postgres.stop();
    },
  };
}

const start = (argv: readonly string[], env: Record<string, string>) =>
  execa(process.execPath, [program, ...argv], { env, extendEnv: false, reject: false });

/** The exit code and stderr; a process that is still there after the limit is killed, and has no exit code. */
async function endOf(run: ReturnType<typeof start>, limitMs: number) {
  const late = setTimeout(() => run.kill('SIGKILL'), limitMs);
  const { exitCode, stdout, stderr } = await run;
  clearTimeout(late);
  return { exitCode, stdout, stderr };
}

/** Ctrl-C ends these by order, which is a success; the others are interrupted. */
const endedByOrder = new Set(['produce']);

const commands = [
  ['status'],
  ['init'],
  ['runs'],
  ['stop', 'streaming'],
  ['logs', 'streaming'],
  ['plan', 'streaming'],
  ['submit', 'streaming'],
  ['produce', '--feed', 'poll'],
  ['produce', '--feed', 'stream'],
  ['verify'],
  ['heal'],
  ['lake', 'ls'],
  ['prune', '--older-than', '30d'],
];

describe.concurrent('a process whose servers accept and never answer', () => {
  it('of `status` ends when its answer is printed', async ({ expect }) => {
    const servers = await startHangingServers();
    const { exitCode, stdout } = await endOf(
      start(['--data-dir', '/nonexistent', 'status', '--json'], servers.env),
      25_000,
    );
    await servers.stop();
    expect(exitCode).toBe(4);
    const { parts } = JSON.parse(stdout) as { parts: { name: string; health: string }[] };
    expect(parts.map(({ name, health }) => `${name} ${health}`)).toEqual(
      ['exchange', 'kafka', 'spark', 'hdfs', 'postgres', 'producers', 'data'].map((name) => `${name} silent`),
    );
  });

  it.each(commands.map((argv) => ({ argv, name: argv.join(' ') })))(
    'of `$name` ends within 10 s of the first Ctrl-C',
    async ({ argv }) => {
      const servers = await startHangingServers();
      const run = start(argv, servers.env);
      await Promise.race([servers.contact, run]);
      run.kill('SIGINT');
      const { exitCode, stderr } = await endOf(run, 10_000);
      await servers.stop();
      const expected = endedByOrder.has(argv[0] ?? '') ? 0 : 130;
      expect({ exitCode, stderr }).toEqual({
        exitCode: expected,
        stderr: expect.stringContaining('stopping; once more leaves at once') as string,
      });
    },
  );
});
