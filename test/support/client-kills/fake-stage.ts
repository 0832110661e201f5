import { createHash } from 'node:crypto';
import { loadConfig } from '../../../src/config.js';
import { hasEnded, type FakeDriver } from '../fake-master/cluster.js';
import { startFakeMaster, type FakeMaster } from '../fake-master/server.js';
import { startWebHdfsStandIn, type WebHdfsStandIn } from '../web-hdfs-stand-in.js';
import { Book } from './book.js';
import type { Plan, Step } from './plan.js';
import type { Stage, StartedDriver } from './stage.js';

/** The fake master and a stand-in for WebHDFS, with a real PostgreSQL; drivers register in it as a job does. */
export class FakeStage implements Stage {
  readonly args = ['submit', 'streaming', '--json', '--timeout', '60'];
  onStep: (step: Step) => void = () => undefined;
  private plan: Plan | undefined;
  private roundBegan = { taken: 0, posted: 0 };
  private readonly timers = new Set<NodeJS.Timeout>();

  private constructor(
    readonly env: Readonly<Record<string, string>>,
    readonly book: Book,
    private readonly master: FakeMaster,
    private readonly hdfs: WebHdfsStandIn,
  ) {
    master.onStep = (step) => this.onStep(step);
    master.onRequest = (endpoint) => {
      if (endpoint === 'json') this.onStep('asked');
    };
    hdfs.onWrite = () => this.onStep('stored');
    master.cluster.onTake = (driver) => this.place(driver);
    master.cluster.onLaunch = (driver) => this.launch(driver);
  }

  /** @param database has the schema, and no run yet. */
  static async open(stackEnv: Readonly<Record<string, string>>, database: string): Promise<FakeStage> {
    const [master, hdfs] = await Promise.all([startFakeMaster(), startWebHdfsStandIn()]);
    const env = {
      ...stackEnv,
      PGDATABASE: database,
      SPARK_REST_URL: master.url,
      SPARK_UI_URL: master.url,
      WEBHDFS_URL: hdfs.url,
      PYSPARK_PYTHON: '/opt/venv/bin/python3',
      CRYPTOPIPE_SPARK_JARS: '/opt/jars/spark-sql-kafka.jar',
    };
    const holder: { stage?: FakeStage } = {};
    const book = await Book.open(loadConfig({}, env, '/nonexistent/.env'), (step) =>
      holder.stage?.onStep(step),
    );
    holder.stage = new FakeStage(env, book, master, hdfs);
    return holder.stage;
  }

  prepare(plan: Plan): void {
    this.plan = plan;
    this.master.cluster.hasRoom = plan.placesAfterMs === 0;
    const { takesAfterMs, answersAfterMs } = plan;
    this.master.react(
      'create',
      plan.fate === 'never taken' ? { takes: false, way: 'reset' } : { takesAfterMs, answersAfterMs },
      1,
    );
  }

  posted(): readonly string[] {
    return this.master.posted
      .slice(this.roundBegan.posted)
      .map((body) => /"--run-id","([^"]*)"/.exec(body)?.[1] ?? '');
  }

  drivers(): Promise<readonly StartedDriver[]> {
    const drivers = this.master.cluster.taken.slice(this.roundBegan.taken);
    return Promise.resolve(
      drivers.map((driver) => ({ id: driver.id, runId: driver.runId, isLive: !hasEnded(driver) })),
    );
  }

  disturb({ standbyMs }: Plan): void {
    if (standbyMs === 0) return;
    this.master.cluster.status = 'STANDBY';
    this.later(standbyMs, () => {
      this.master.cluster.status = 'ALIVE';
    });
  }

  inspect(): readonly string[] {
    return [...this.hdfs.files]
      .filter(([path, content]) => path.split('/')[2] !== createHash('sha256').update(content).digest('hex'))
      .map(([path]) => `${path} is not what its hash says`);
  }

  async clear(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.plan = undefined;
    const { cluster } = this.master;
    cluster.hasRoom = true;
    cluster.status = 'ALIVE';
    this.master.calm('create');
    for (const driver of cluster.taken) if (!hasEnded(driver)) cluster.end(driver, 'FINISHED');
    cluster.forget();
    // Every round stores its text again, so that each has that step.
    this.hdfs.clear();
    await this.book.clear();
    this.roundBegan = { taken: cluster.taken.length, posted: this.master.posted.length };
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all([this.book.close(), this.master.close(), this.hdfs.close()]);
  }

  private place(driver: FakeDriver): void {
    const { placesAfterMs = 0 } = this.plan ?? {};
    if (placesAfterMs > 0) this.later(placesAfterMs, () => this.master.cluster.place(driver));
  }

  private launch(driver: FakeDriver): void {
    this.later(this.plan?.registersAfterMs ?? 300, () => {
      void this.book.register(driver.runId, driver.id).then((isOurs) => {
        if (!isOurs && !hasEnded(driver)) this.master.cluster.end(driver, 'FAILED');
      });
    });
  }

  private later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
  }
}
