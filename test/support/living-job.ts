import { join } from 'node:path';
import { execa } from 'execa';
import type { SeenRun } from '../../src/commands/runs.js';
import { createApp, type App } from '../../src/compose.js';
import type { StatusReport } from '../../src/core/report.js';
import { driverProcess } from './driver-processes.js';
import { cryptopipe, eventually, program } from './pipeline.js';
import { startStack, type TestStack } from './stack.js';

/** Within so long after something died a run is called what it is. */
const promiseMs = 30_000;
/** What a busy computer may need to start a JVM, its Python and a Spark application. */
export const comesBackMs = 100_000;

const servers = ['postgres', 'data-node', 'spark-worker'] as const;

/** A run as `runs show` has it, with the exit code of that. */
export type Shown = SeenRun & { readonly exitCode: number | undefined };

/** A job that only lives, on a stack of its own whose processes can be killed. */
export class LivingJob {
  private constructor(
    readonly stack: TestStack,
    readonly app: App,
    readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(options: { readonly name: string; readonly portOffset: number }): Promise<LivingJob> {
    const stack = await startStack({ ...options, only: servers });
    const app = createApp(stack.config);
    await app.schema.migrate();
    const folder = join(import.meta.dirname, '../fixtures/living-job');
    return new LivingJob(stack, app, { ...stack.env, CRYPTOPIPE_JOBS_DIR: folder });
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.stack.stop();
  }

  call(...args: string[]) {
    return cryptopipe(this.environment, args, 400_000);
  }

  /** `submit living`, until it runs; fails with what was said. */
  async submit(...flags: string[]): Promise<SeenRun & { readonly outcome: string }> {
    const { exitCode, stdout, stderr } = await this.call('submit', 'living', '--json', ...flags);
    if (exitCode !== 0) throw new Error(`submit: exit ${exitCode ?? ''}\n${stderr}`);
    return JSON.parse(stdout) as SeenRun & { readonly outcome: string };
  }

  /** `submit living --wait` whose wait can be interrupted. */
  startWaiting() {
    return execa(process.execPath, [program, 'submit', 'living', '--wait'], {
      ...{ env: { ...this.environment }, extendEnv: false, reject: false },
    });
  }

  async show(): Promise<Shown> {
    const { stdout, exitCode } = await this.call('runs', 'show', 'living', '--json');
    return { ...(JSON.parse(stdout) as SeenRun), exitCode };
  }

  /** What `status` says of Spark and its runs. */
  async sparkProblems(): Promise<string> {
    const { stdout } = await this.call('status', '--json');
    const { parts } = JSON.parse(stdout) as StatusReport;
    return parts.find(({ name }) => name === 'spark')?.problems.join('\n') ?? '';
  }

  /** Waits until the run is as it should be, and prints how long that took. */
  async becomes(what: string, is: (run: SeenRun) => boolean, withinMs = promiseMs): Promise<Shown> {
    const start = Date.now();
    const find = async (): Promise<Shown | undefined> => {
      const now = await this.show();
      return is(now) ? now : undefined;
    };
    const run = await eventually(`a run that is ${what}`, find, withinMs);
    console.log(`${what}: after ${((Date.now() - start) / 1000).toFixed(1)} s: ${run.situation.sentence}`);
    return run;
  }

  /**
   * Waits until Spark has started a killed program again. A JVM may take long to begin on a busy computer; within the
   * promised time it must be told at least that the job is silent.
   */
  async restarted(times: number): Promise<Shown> {
    const isBack = ({ restarts }: SeenRun): boolean => restarts === times;
    await this.becomes('told', (run) => isBack(run) || run.situation.name === 'silent');
    return this.becomes('started again', isBack, comesBackMs);
  }

  kill(run: SeenRun, kind: 'java' | 'python'): void {
    process.kill(driverProcess(this.stack, run.submissionId ?? '', kind), 'SIGKILL');
  }

  async killServer(name: 'spark-worker' | 'spark-master'): Promise<void> {
    const server = (await this.app.stack.status()).find((one) => one.name === name);
    if (server?.state !== 'running' || server.pid === undefined) throw new Error(`${name} does not run`);
    process.kill(server.pid, 'SIGKILL');
  }

  stackUp(): Promise<unknown> {
    return this.app.stack.up({
      ...{ say: () => undefined, signal: AbortSignal.timeout(120_000), only: servers },
    });
  }
}
