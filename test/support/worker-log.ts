import { UnreachableError } from '../../src/core/errors.js';
import type { LogPage, LogPlace, WorkerExecutor, WorkerLogs } from '../../src/core/ports/worker-logs.js';

/** The files of one log on a worker, and its page: as org.apache.spark.deploy.worker.ui.LogPage gives it. */
export class WorkerLog {
  private files: Buffer[] = [Buffer.alloc(0)];
  /** The ranges that were asked for. */
  readonly asked: string[] = [];

  constructor(text = '') {
    this.append(text);
  }

  get activeBytes(): number {
    return this.files.at(-1)?.length ?? 0;
  }

  append(text: string | Uint8Array): void {
    const active = this.files.pop() ?? Buffer.alloc(0);
    this.files.push(Buffer.concat([active, typeof text === 'string' ? Buffer.from(text) : text]));
  }

  /** Begins a new file and keeps this many of the old ones. */
  rollOver(kept: number): void {
    this.files = [...(kept === 0 ? [] : this.files.slice(-kept)), Buffer.alloc(0)];
  }

  readonly page = (from: number, byteLength: number): Promise<LogPage> => {
    this.asked.push(`${from}+${byteLength}`);
    const bytes = Buffer.concat(this.files);
    const first = Math.min(from, bytes.length);
    const last = Math.min(first + byteLength, bytes.length);
    const text = new TextDecoder().decode(bytes.subarray(first, last));
    return Promise.resolve({ text, from: first, to: last, total: bytes.length });
  };
}

/** Workers that keep logs, in memory. */
export class FakeWorkerLogs implements WorkerLogs {
  readonly logs = new Map<string, WorkerLog>();
  readonly ran: WorkerExecutor[] = [];
  /** What the next pages throw. */
  failure: Error | undefined;

  /** The log of a driver's or an executor's stream (`driver-1 stdout`, `app-1/0 stderr`); made on first use. */
  log(name: string): WorkerLog {
    const log = this.logs.get(name) ?? new WorkerLog();
    this.logs.set(name, log);
    return log;
  }

  page({ owner, stream }: LogPlace, range: { from: number; byteLength: number }): Promise<LogPage> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const whose = owner.kind === 'driver' ? owner.submissionId : `${owner.applicationId}/${owner.executorId}`;
    const log = this.logs.get(`${whose} ${stream}`);
    return log === undefined
      ? Promise.reject(
          new UnreachableError(`The worker has no log of ${whose} any more`, { retryable: false }),
        )
      : log.page(range.from, range.byteLength);
  }

  executors(): Promise<readonly WorkerExecutor[]> {
    return Promise.resolve(this.ran);
  }
}
