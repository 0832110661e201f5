import type { Config } from './config.js';
import type { DiskSpace } from './core/disk-space.js';
import type { Job } from './core/job.js';
import type { Outages } from './core/outages.js';
import type { TradeArchive } from './core/ports/archive.js';
import type { Background } from './core/ports/background.js';
import type { BarStore, Schema, WarehouseState } from './core/ports/bars.js';
import type { Catalogue, TextFiles, TemplateInspector, TextChecker } from './core/ports/check.js';
import type { Clock } from './core/ports/clock.js';
import type { DashboardData, PageServer } from './core/ports/dashboard.js';
import type { Exchange, ExchangeWait, KlineArchive } from './core/ports/exchange.js';
import type { FileStore, HdfsState } from './core/ports/files.js';
import type { Lake } from './core/ports/lake.js';
import type { LocalFiles } from './core/ports/local-files.js';
import type { MarketStream } from './core/ports/market-stream.js';
import type { Reconciliations } from './core/ports/reconciliations.js';
import type { TradeDays } from './core/ports/retention.js';
import type { RunBook } from './core/ports/runs.js';
import type { SandboxFactory } from './core/ports/sandbox.js';
import type { SparkCluster } from './core/ports/spark.js';
import type { Installation, Stack } from './core/ports/stack.js';
import type { TemplateStore } from './core/ports/templates.js';
import type { TickSink, Topics } from './core/ports/topic.js';
import type { WorkerLogs } from './core/ports/worker-logs.js';
import type { ProducerIdentity } from './core/producer-heartbeat.js';
import type { KnownSecret } from './core/secrets.js';
import type { ClusterView } from './core/submission.js';

/** The folders that cryptopipe has in HDFS, as absolute paths without scheme and host. */
export interface Folders {
  readonly raw: string;
  readonly clean: string;
  readonly rejected: string;
  readonly checkpoints: string;
  readonly jobs: string;
}

/** Everything behind a port, each built on first use. */
interface Adapters {
  readonly barStore: BarStore;
  readonly schema: Schema;
  readonly tradeDays: TradeDays;
  readonly lake: Lake;
  readonly folders: Folders;
  readonly templates: TemplateStore;
  readonly templateInspector: TemplateInspector;
  readonly textChecker: TextChecker;
  readonly textFiles: TextFiles;
  /** Every job that can be submitted. @throws ConfigError where a manifest is wrong. */
  readonly jobs: readonly Job[];
  /** The same, with what is wrong beside it. */
  readonly catalogue: Catalogue;
  /** `user@host` of this call. */
  readonly submittedBy: string;
  readonly files: FileStore;
  readonly hdfsState: (signal?: AbortSignal) => Promise<HdfsState | undefined>;
  readonly warehouseState: () => Promise<WarehouseState>;
  /** Of the native stack's data folder; none where there is no such folder. */
  readonly disks: () => Promise<readonly DiskSpace[]>;
  readonly localFiles: LocalFiles;
  readonly spark: SparkCluster;
  readonly workerLogs: WorkerLogs;
  readonly book: RunBook;
  readonly clock: Clock;
  readonly sandbox: SandboxFactory;
  readonly stack: Stack;
  readonly background: Background;
  /** Who this process is, if it produces. */
  readonly producer: ProducerIdentity;
  /** For commands that somebody waits for: it gives up after a bounded time. */
  readonly exchange: Exchange;
  /** For programs without an end: it never gives up. Shares the request budget with `exchange`. */
  readonly patientExchange: Exchange;
  /** What does not answer this process now. */
  readonly outages: Outages;
  readonly archive: TradeArchive;
  readonly stream: MarketStream;
  readonly klineArchive: KlineArchive;
  readonly reconciliations: Reconciliations;
  readonly dashboardData: DashboardData;
  readonly pageServer: PageServer;
  readonly topics: Topics;
  readonly sink: TickSink;
  /** What the native stack's downloads gave. @throws ConfigError when nothing is installed yet. */
  readonly nativeInstallation: Installation;
  /** What a submission must know of the workers. @throws ConfigError where neither a setting nor the installation says it. */
  readonly clusterView: ClusterView;
}

/** The real adapters for one configuration. */
export interface App extends Adapters {
  readonly config: Config;
  /** Every secret of ours that is known. */
  readonly secrets: readonly KnownSecret[];
  newRunId(): string;
  /** Called for every pause that the exchange imposes; returns what ends that. */
  onExchangeWait(listener: (wait: ExchangeWait) => void): () => void;
  /** Closes what was opened; safe to call when nothing was. */
  close(): Promise<void>;
}
