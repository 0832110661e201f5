import { join } from 'node:path';
import { createApp, type App } from '../../../src/compose.js';
import { loadConfig } from '../../../src/config.js';
import { meaningOf } from '../../../src/core/driver-state.js';
import { restKeyFileOf } from '../../../src/core/rest-key.js';
import { eventually } from '../pipeline.js';
import { Book } from './book.js';
import type { Plan, Step } from './plan.js';
import { startSparkProxy, type SparkProxy } from './spark-proxy.js';
import type { Stage, StartedDriver } from './stage.js';

const jobs = join(import.meta.dirname, '../../fixtures/sample-job');
const runIdIn = (text: string): string => /"--run-id",? ?"([^"]*)"/.exec(text)?.[1] ?? '';

/** A real master, worker, HDFS and PostgreSQL with the sample job; a proxy before the master shows the steps. */
export class RealStage implements Stage {
  readonly args = ['submit', 'sample', '--jobs', jobs, '-p', 'ending=stays', '--json'];
  onStep: (step: Step) => void = () => undefined;
  private began = 0;

  private constructor(
    readonly env: Readonly<Record<string, string>>,
    readonly book: Book,
    private readonly app: App,
    private readonly proxy: SparkProxy,
  ) {
    proxy.onStep = (step) => this.onStep(step);
  }

  /** @param database has the schema, and no run yet. */
  static async open(stackEnv: Readonly<Record<string, string>>, database: string): Promise<RealStage> {
    const config = loadConfig({}, { ...stackEnv, PGDATABASE: database }, '/nonexistent/.env');
    const proxy = await startSparkProxy(config.spark);
    const env = {
      ...stackEnv,
      ...{ PGDATABASE: database, SPARK_REST_URL: proxy.url, SPARK_UI_URL: proxy.url },
      // The stack's own key is for the stack's own address; the proxy stands before it.
      SPARK_REST_KEY_FILE: restKeyFileOf(config.native.dataDir),
    };
    const holder: { stage?: RealStage } = {};
    const book = await Book.open(config, (step) => holder.stage?.onStep(step));
    holder.stage = new RealStage(env, book, createApp(config), proxy);
    return holder.stage;
  }

  prepare(plan: Plan): void {
    this.proxy.next = plan;
  }

  posted(): readonly string[] {
    return this.proxy.posted.slice(this.began).map(runIdIn);
  }

  async drivers(): Promise<readonly StartedDriver[]> {
    const posted = this.posted();
    const drivers: StartedDriver[] = [];
    for (const { id, state } of (await this.app.spark.master()).drivers) {
      const runId = runIdIn((await this.app.spark.launchCommand(id)) ?? '');
      if (posted.includes(runId)) drivers.push({ id, runId, isLive: !meaningOf(state).isFinal });
    }
    return drivers;
  }

  disturb(): void {
    // Nothing: the master goes its own way.
  }

  inspect(): readonly string[] {
    return [];
  }

  async clear(): Promise<void> {
    const drivers = await this.drivers();
    for (const { runId } of drivers) await this.app.book.requestStop(runId);
    for (const { id } of drivers)
      await eventually(`the end of ${id}`, async () =>
        meaningOf((await this.app.spark.driver(id)).driverState).isFinal ? true : undefined,
      );
    await this.book.clear();
    this.proxy.next = undefined;
    this.began = this.proxy.posted.length;
  }

  /** Every driver that the master has ever had, of whichever stage. */
  async driversOfAll(): Promise<number> {
    return (await this.app.spark.master()).drivers.length;
  }

  async close(): Promise<void> {
    await Promise.all([this.book.close(), this.app.close(), this.proxy.close()]);
  }
}
