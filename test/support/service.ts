import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { expect } from 'vitest';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import type { SeenRun } from '../../src/commands/runs.js';
import { createApp, type App } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import type { ServerName } from '../../src/core/ports/stack.js';
import type { ProducerHeartbeat } from '../../src/core/producer-heartbeat.js';
import type { StatusReport } from '../../src/core/report.js';
import { cryptopipe, eventually, startExchange, type StandIn } from './pipeline.js';
import { startStack, type TestStack } from './stack.js';

const symbols = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'SOLUSDT', 'XRPUSDT'];
/** Together 200 trades a second. */
const ratePerSymbol = 40;
/** Resolved by failing-dns.mjs. */
const exchangeHost = 'exchange.test';
const commandTimeoutMs = 280_000;
/** A stack that was just started: the job's first batches on a busy computer. */
const firstHealthMs = 420_000;
/** For the whole start on a busy computer. */
export const startTimeoutMs = 780_000;

export const seconds = (ms: number): string => (ms / 1000).toFixed(1);
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** All of cryptopipe as an operator runs it: a stack, an exchange, `produce --detach` and the stream with their defaults. */
export class Service {
  private readonly pool: pg.Pool;
  private readonly topic: string;

  private constructor(
    readonly stack: TestStack,
    readonly sandbox: StandIn,
    readonly environment: Readonly<Record<string, string>>,
    readonly app: App,
  ) {
    this.pool = createPool(stack.config.postgres);
    this.topic = stack.config.kafka.topic;
  }

  /** Returns when trades are counted and `status` finds everything healthy. */
  static async start(options: { readonly name: string; readonly portOffset: number }): Promise<Service> {
    const stack = await startStack(options);
    const sandbox = await startExchange(stack.env, [
      ...['--symbols', symbols.join(','), '--rate', String(ratePerSymbol)],
      ...['--history', '1', '--allow-host', exchangeHost],
    ]);
    const environment = {
      ...stack.env,
      CRYPTO_API_URL: sandbox.url.replace('127.0.0.1', exchangeHost),
      CRYPTO_SYMBOL: symbols.join(','),
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'failing-dns.mjs')).href}`,
      TEST_DNS_FAILS: dnsFlag(stack),
    };
    const app = createApp(loadConfig({}, environment, '/nonexistent/.env'));
    const service = new Service(stack, sandbox, environment, app);
    try {
      for (const call of [['init'], ['produce', '--detach', '--from', '0', '--quiet']])
        await service.run(...call);
      await service.submit();
      await service.becomesHealthy(firstHealthMs);
      return service;
    } catch (error) {
      await service.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.app.close();
    await this.stack.stop();
    await this.sandbox.stop();
  }

  /** One command; fails the test with what it printed, unless its exit code is 0. */
  async run(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await cryptopipe(this.environment, args, commandTimeoutMs);
    if (exitCode === 0) return stdout;
    throw new Error(`cryptopipe ${args.join(' ')}: exit ${exitCode ?? ''}\n${stdout}\n${stderr}`);
  }

  /** 4: the job did not start in the time that `submit` waits, as on a busy computer, and goes on. */
  private async submit(): Promise<void> {
    const { exitCode, stderr } = await cryptopipe(
      this.environment,
      ['submit', 'streaming'],
      commandTimeoutMs,
    );
    if (exitCode !== 0 && exitCode !== 4) throw new Error(`submit: exit ${exitCode ?? ''}\n${stderr}`);
  }

  async rows<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return queryRows<Row>(this.pool, sql);
  }

  async status(): Promise<StatusReport> {
    const { stdout, stderr } = await cryptopipe(this.environment, ['status', '--json'], commandTimeoutMs);
    if (stdout === '') throw new Error(`status printed nothing:\n${stderr}`);
    return JSON.parse(stdout) as StatusReport;
  }

  /** What is wrong by `status`, as it prints it: `kafka: …`. */
  async problems(): Promise<string[]> {
    const { parts } = await this.status();
    return parts.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`));
  }

  /** Waits until `status` finds nothing wrong and more trades are counted than before; ms. */
  async becomesHealthy(withinMs: number): Promise<number> {
    const startedAt = Date.now();
    let [before, last]: [number | undefined, string[]] = [undefined, []];
    const isWell = async (): Promise<true | undefined> => {
      last = await this.problems();
      if (last.length > 0) return undefined;
      const now = await this.counted();
      before ??= now;
      return now > before && (await this.isEveryOneCounted()) ? true : undefined;
    };
    await eventually('a healthy service', isWell, withinMs).catch((error: unknown) => {
      throw new Error(
        `${String(error)}; status: ${last.join('\n') || 'nothing is wrong, but nothing is counted'}`,
      );
    });
    return Date.now() - startedAt;
  }

  /** Trades that are counted. */
  async counted(): Promise<number> {
    const [row] = await this.rows<{ counted: number }>(
      `SELECT coalesce(sum(counted), 0)::BIGINT AS counted FROM crypto.batches WHERE query = 'hot'`,
    );
    return Number(row?.counted);
  }

  private async isEveryOneCounted(): Promise<boolean> {
    const [row] = await this.rows<{ symbols: number }>(
      'SELECT count(DISTINCT symbol)::INTEGER AS symbols FROM crypto.crypto_prices_agg_1min',
    );
    return row?.symbols === symbols.length;
  }

  /** Asks the exchange for a fault. */
  async order(...faults: Readonly<Record<string, unknown>>[]): Promise<void> {
    for (const fault of faults) {
      const answer = await fetch(`${this.sandbox.url}/sandbox/faults`, {
        ...{ method: 'POST', body: JSON.stringify(fault), headers: { connection: 'close' } },
      });
      if (!answer.ok) throw new Error(await answer.text());
    }
  }

  /** The exchange's name is not found from now on, with this code; undefined: it is found again. */
  async failDns(code: 'EAI_AGAIN' | 'ENOTFOUND' | undefined): Promise<void> {
    if (code === undefined) await rm(dnsFlag(this.stack));
    else await writeFile(dnsFlag(this.stack), code);
  }

  async kill(...names: ServerName[]): Promise<void> {
    const servers = await this.app.stack.status();
    for (const name of names) {
      const { pid, state } = servers.find((server) => server.name === name) ?? {};
      if (state !== 'running' || pid === undefined) throw new Error(`${name} does not run`);
      process.kill(pid, 'SIGKILL');
    }
  }

  /** What starts servers that were killed: the one command that an operator types, as after a reboot. */
  stackUp = (): Promise<string> => this.run('stack', 'up');

  async producer(): Promise<ProducerHeartbeat> {
    const { parts } = await this.status();
    const facts = parts.find(({ name }) => name === 'producers')?.facts as {
      readonly producers: readonly ProducerHeartbeat[];
    };
    const [producer] = facts.producers;
    if (producer === undefined) throw new Error('status shows no producer');
    return producer;
  }

  async stream(): Promise<SeenRun> {
    return JSON.parse(await this.run('runs', 'show', 'streaming', '--json')) as SeenRun;
  }

  /** Ends the producer, waits until all that it sent is counted, and checks that nothing is lost or wrong. Prints figures. */
  async proveNothingLost(): Promise<{ readonly repeated: number }> {
    await this.run('produce', '--stop');
    await this.countsAll();
    const sums = await this.sums();
    const topic = await this.app.topics.offsets(this.topic);
    const sent = topic.reduce((sum, { earliest, latest }) => sum + Number(latest - earliest), 0);
    const report = JSON.parse(await this.run('verify', '--json')) as VerifyReport;
    const compared = report.symbols.reduce((sum, one) => sum + one.compared, 0);
    console.log(
      `${JSON.stringify({ sent, ...sums })}, ${compared} final bars equal to the exchange's klines`,
    );
    expect(sums).toMatchObject({ conflicted: 0, rejected: 0, lost: 0, holes: 0, open: 0 });
    expect(sums.counted + sums.repeated).toBe(sent);
    expect(sums.stored).toBe(sums.counted);
    expect(report.symbols.map(({ symbol, isProven }) => [symbol, isProven])).toEqual(
      [...symbols].sort().map((symbol) => [symbol, true]),
    );
    expect(compared).toBeGreaterThanOrEqual(symbols.length * 3);
    return sums;
  }

  private async countsAll(): Promise<void> {
    const ends = await this.app.topics.offsets(this.topic);
    await eventually('the last batch', async () => {
      const committed = await this.app.barStore.committedOffsets('hot');
      const isDone = ends.every(
        ({ partition, latest }) =>
          latest === 0n || (committed.find((one) => one.partition === partition)?.next ?? 0n) >= latest,
      );
      return isDone ? true : undefined;
    });
  }

  /** `lost`: ids between the tape's first and the last sent that are not there; `open`: bars inside that are not final. */
  private async sums(): Promise<Sums> {
    const [row] = await this.rows<Record<keyof Sums, string>>(`
      SELECT sum(counted) AS counted, sum(repeated) AS repeated, sum(conflicted) AS conflicted, sum(rejected) AS rejected,
        (SELECT count(*) FROM crypto.crypto_prices_clean) AS stored,
        (SELECT sum(last - first + 1 - count) FROM (
           SELECT max(agg_trade_id) AS last, min(agg_trade_id) AS first, count(*) AS count
           FROM crypto.crypto_prices_clean GROUP BY symbol) AS one) AS lost,
        (SELECT count(*) FROM crypto.holes) AS holes,
        (SELECT count(*) FROM (
           SELECT finalized_at, window_start, max(window_start) OVER of_symbol AS newest, min(window_start) OVER of_symbol AS oldest
           FROM crypto.crypto_prices_agg_1min WINDOW of_symbol AS (PARTITION BY symbol)) AS bar
         WHERE finalized_at IS NULL AND window_start NOT IN (newest, oldest)) AS open
      FROM crypto.batches WHERE query = 'hot'`);
    return Object.fromEntries(
      Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]),
    ) as Sums;
  }
}

type Sums = Readonly<
  Record<'counted' | 'repeated' | 'conflicted' | 'rejected' | 'stored' | 'lost' | 'holes' | 'open', number>
>;

interface VerifyReport {
  readonly symbols: readonly {
    readonly symbol: string;
    readonly compared: number;
    readonly isProven: boolean;
  }[];
}

const dnsFlag = ({ dataDir }: TestStack): string => join(dataDir, 'dns-fails');
