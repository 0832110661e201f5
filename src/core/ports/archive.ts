import type { TradeRow } from '../trade-row.js';

/** The trades of one symbol and one UTC day, from a file whose checksum was right. */
export interface ArchivedDay {
  /** Where the file came from, for messages. */
  readonly name: string;
  /**
   * Some hundred at a time, in the order of the file; only these are in memory. A row that cannot be read comes with its reason.
   * @throws JobFailedError that names file and line where the rows are of another form.
   */
  rows(): AsyncIterable<readonly TradeRow[]>;
  close(): Promise<void>;
}

/** The daily files of aggregate trades that an exchange publishes. */
export interface TradeArchive {
  /**
   * Opens the file of a day (epoch ms of its beginning); undefined where the archive has none. Close it.
   * @throws JobFailedError where the checksum is wrong, also at a second try; UnreachableError where nobody answers.
   */
  openDay(symbol: string, day: number, signal?: AbortSignal): Promise<ArchivedDay | undefined>;
}
