import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe } from 'vitest';
import { cryptopipe } from './pipeline.js';
import { getJson } from './sandbox.js';
import { inheritedEnvironment } from './stack.js';

/** One try to install; the error's words where it fails. */
async function installProblem(): Promise<string | undefined> {
  const { exitCode, stderr } = await cryptopipe(inheritedEnvironment(), [
    'stack',
    'install',
    '--only',
    'airflow',
  ]);
  return exitCode === 0 ? undefined : stderr;
}

async function isPyPiReachable(): Promise<boolean> {
  const args = ['-m', 'pip', 'index', 'versions', 'apache-airflow', '--retries', '1'];
  return (await execa('python3', args, { reject: false, timeout: 60_000 })).exitCode === 0;
}

/**
 * Like `describe`, with Airflow installed from PyPI; without PyPI the tests are skipped and their title says why. A
 * failed installation alone is no reason: a wrong checksum must not pass for a missing network.
 */
export async function describeWithAirflow(title: string, tests: () => void): Promise<void> {
  const problem = await installProblem();
  if (problem === undefined) describe(title, tests);
  else if (await isPyPiReachable())
    throw new Error(`Airflow cannot be installed, and PyPI answers:\n${problem}`);
  else describe.skip(`${title} (skipped: PyPI does not answer, so there is no Airflow)`, tests);
}

export interface DagRun {
  readonly dag_run_id: string;
  readonly run_type: string;
  readonly state: string;
  readonly start_date: string | null;
  readonly logical_date: string;
}

/** The Airflow of a stack, as a person has it: its command line, and its API after a login. */
export class Airflow {
  private token: string | undefined;

  constructor(
    readonly folder: string,
    private readonly url: string,
  ) {}

  /** The Python that it runs on. */
  get python(): string {
    const program = readFileSync(join(this.folder, 'bin', 'airflow'), 'utf8');
    return join(/^exec '(.*)\/airflow'/m.exec(program)?.[1] ?? '', 'python');
  }

  /** Its command line; gives all that it printed. An exit code that is not expected fails with it. */
  async run(args: readonly string[], exitCode = 0): Promise<string> {
    const result = await execa(join(this.folder, 'bin', 'airflow'), args, { reject: false, all: true });
    if (result.exitCode === exitCode) return result.all;
    throw new Error(`airflow ${args.join(' ')}: exit ${result.exitCode ?? -1}\n${result.all.slice(-8000)}`);
  }

  async api<T>(path: string, method: 'GET' | 'PATCH' = 'GET', body?: unknown): Promise<T> {
    this.token ??= await this.login();
    const response = await fetch(`${this.url}/api/v2/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  runs = async (dag: string): Promise<DagRun[]> =>
    (await this.api<{ dag_runs: DagRun[] }>(`dags/${dag}/dagRuns?order_by=run_after&limit=100`)).dag_runs;

  /** What a task gave, of one run or of the newest. */
  async result(dag: string, task: string, run?: string): Promise<Record<string, unknown>> {
    const id = run ?? (await this.runs(dag)).at(-1)?.dag_run_id ?? '';
    const path = `dags/${dag}/dagRuns/${encodeURIComponent(id)}/taskInstances/${task}/xcomEntries/return_value`;
    return (await this.api<{ value: Record<string, unknown> }>(`${path}?deserialize=true`)).value;
  }

  private async login(): Promise<string> {
    const { admin } = JSON.parse(readFileSync(join(this.folder, 'logins.json'), 'utf8')) as { admin: string };
    const response = await fetch(`${this.url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: admin }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }
}

/**
 * What the verdicts of a day are that has trades in its last ten minutes alone, by the exchange's own bars: a tape may have minutes
 * without a trade. `endOfDay` in epoch ms.
 */
export async function minutesOfTape(
  exchangeUrl: string,
  endOfDay: number,
): Promise<{ bars: number; equal: number; edge: number; quiet: number }> {
  const span = `startTime=${endOfDay - 600_000}&endTime=${endOfDay - 1}`;
  const path = `/api/v3/klines?symbol=BTCUSDT&interval=1m&${span}`;
  const klines = await getJson<(string | number)[][]>(exchangeUrl, path);
  if (klines.length !== 10) throw new Error(`the exchange has ${klines.length} bars of the last ten minutes`);
  const isTraded = klines.map((kline) => Number(kline[8]) > 0);
  const bars = isTraded.filter(Boolean).length;
  const firstBar = isTraded.indexOf(true);
  // Nothing proves the beginning of the first bar, and of the minutes before it.
  return { bars, equal: bars - 1, edge: 1430 + firstBar + 1, quiet: 10 - firstBar - bars };
}
