import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { SubmitOptions, SubmitPorts } from '../../src/commands/submit.js';
import { readCatalogue, requireSound } from '../../src/adapters/job-catalogue.js';
import { workOf } from '../../src/commands/render.js';
import { connectionValues } from '../../src/core/connection-values.js';
import { findJob, type Job } from '../../src/core/job.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import type { TemplateStore } from '../../src/core/ports/templates.js';
import type { ClusterView, Work } from '../../src/core/submission.js';
import { FakeClock } from './fake-clock.js';
import { fakeFiles } from './fake-files.js';
import { FakeSpark } from './fake-spark.js';
import { MemoryRuns } from './memory-runs.js';

/** Where the servers are when nobody says anything. */
export const connection = connectionValues({
  kafkaServers: 'localhost:9092',
  topic: 'crypto_raw',
  hdfsRoot: 'hdfs://localhost:8020',
  rawPath: 'hdfs://localhost:8020/datalake/raw/crypto',
  cleanPath: 'hdfs://localhost:8020/datalake/clean/crypto',
  rejectedPath: 'hdfs://localhost:8020/datalake/rejected/crypto',
  jdbcUrl: 'jdbc:postgresql://localhost:5432/crypto',
  postgresUser: 'crypto',
});

/** The jobs that are shipped. */
export const shippedJobs: readonly Job[] = requireSound(
  readCatalogue([resolve(import.meta.dirname, '../../templates')], connection),
);

export const streaming: Job = findJob('streaming', shippedJobs);

export const cluster: ClusterView = {
  masterUrl: 'spark://127.0.0.1:7077',
  sparkVersion: '4.2.0',
  jars: ['/opt/jars/spark-sql-kafka.jar', '/opt/jars/postgresql.jar'],
  python: '/opt/venv/bin/python3',
  driverUiPort: 4040,
};

const templates: TemplateStore = {
  job: (template, values) => {
    const text = `${basename(template)} ${JSON.stringify(values)}`;
    return { text, sha256: createHash('sha256').update(text).digest('hex') };
  },
  sqlJob: (values) => ({ text: `sql ${JSON.stringify(values)}`, sha256: 'f00d' }),
  sqlStep: (step) => ({ text: step, sha256: 'f00d' }),
};

/** The streaming job with some parameters set. */
export const workWith = (overrides: readonly string[]): Work => workOf(templates, streaming, overrides);

export const streamingWork = workWith([]);

/** Everything that a submission touches, in memory, with one clock. */
export class SubmissionWorld {
  readonly clock = new FakeClock();
  readonly book: MemoryRuns;
  readonly spark: FakeSpark;
  readonly files = fakeFiles();
  readonly said: string[] = [];
  private submissions = 0;

  constructor(rows: readonly JobRun[] = []) {
    this.book = new MemoryRuns(this.clock, rows);
    this.spark = new FakeSpark(this.clock, this.book);
    this.clock.onSleep.push(() => this.spark.tick());
  }

  get ports(): SubmitPorts {
    const { clock, book, spark } = this;
    return { clock, book, spark, files: this.files.store, say: (line) => this.said.push(line) };
  }

  /** A new run id each time, as each call of the program makes one. */
  options(values: Partial<SubmitOptions> = {}): SubmitOptions {
    this.submissions += 1;
    return {
      work: streamingWork,
      submittedBy: 'somebody@somewhere',
      secrets: [],
      runId: `20261123t211500-00000${this.submissions}`,
      hdfsRoot: 'hdfs://localhost:8020',
      cluster,
      registerTimeoutMs: 120_000,
      signal: new AbortController().signal,
      ...values,
    };
  }

  runIdsPosted(): string[] {
    return this.spark.posts.map(({ appArgs }) => appArgs[appArgs.indexOf('--run-id') + 1] ?? '');
  }
}
