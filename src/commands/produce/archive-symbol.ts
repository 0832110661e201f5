import { JobFailedError } from '../../core/errors.js';
import type { ArchivedDay, TradeArchive } from '../../core/ports/archive.js';
import type { Exchange } from '../../core/ports/exchange.js';
import type { Tick } from '../../core/tick.js';
import type { TradeRow } from '../../core/trade-row.js';
import { dayText } from '../../core/utc-day.js';
import { fillHole } from './archive-hole.js';
import type { SymbolPlan } from './archive-plan.js';
import { noOddRows, type ArchiveNotes, type OddRows } from './archive-report.js';
import type { FeedTools } from './feed.js';
import { putRows } from './rows.js';

export interface ArchiveTools extends Pick<FeedTools, 'queue' | 'signal' | 'progress' | 'clock'> {
  readonly archive: TradeArchive;
  readonly exchange: Pick<Exchange, 'tradeRows'>;
  readonly notes: ArchiveNotes;
  /** Where the wanted days begin, epoch ms. */
  readonly from: number;
}

/**
 * Puts the planned trades of one symbol into the queue: the rows of its files, and before a row that jumps, the ids between
 * from the exchange. So whatever is sent, everything planned before it was sent too, and a cursor says it all.
 */
export class ArchivedSymbol {
  /** The id that follows what is put or known to be unpublished. */
  private nextId: number;
  /** The row before, as it was put. */
  private before: Tick | undefined;
  /** Rows with successive ids that are not put yet; all of one page. */
  private rows: Tick[] = [];
  private odd: OddRows = noOddRows;

  constructor(
    private readonly tools: ArchiveTools,
    private readonly plan: SymbolPlan,
  ) {
    this.nextId = plan.start.nextId;
  }

  /** @throws what archive and exchange throw; JobFailedError where a file holds another exchange's trades. */
  async bring(): Promise<void> {
    const { days, lastId } = this.plan;
    for (const day of days) if (this.nextId <= lastId && !(await this.bringDay(day))) return;
    if (days.length > 0) await this.closeGap(lastId + 1);
  }

  private get symbol(): string {
    return this.plan.start.symbol;
  }

  /** False where the queue takes nothing more. */
  private async bringDay(day: number): Promise<boolean> {
    const { archive, notes, signal } = this.tools;
    signal.throwIfAborted();
    const file = await archive.openDay(this.symbol, day, signal);
    if (file === undefined) {
      notes.noFile(this.symbol, dayText(day));
      return true;
    }
    this.odd = noOddRows;
    try {
      for await (const page of file.rows()) if (!(await this.bringPage(file, page))) return false;
      notes.file(this.symbol, file.name, this.odd);
      return true;
    } finally {
      await file.close();
    }
  }

  private async bringPage(file: ArchivedDay, page: readonly TradeRow[]): Promise<boolean> {
    for (const row of page) {
      const { tick } = row;
      if (tick === undefined) {
        if (!(await this.putUnreadable(row))) return false;
        continue;
      }
      if (!this.isPlanned(file, tick)) continue;
      if (tick.aggTradeId === this.nextId) this.take(tick);
      else if (!(await this.takeOdd(tick))) return false;
    }
    return this.putRows();
  }

  /** It is stored, and its id is a jump of the next row: then the exchange is asked for it. */
  private async putUnreadable(row: TradeRow): Promise<boolean> {
    const { lastId, start } = this.plan;
    if (row.id !== undefined && (row.id < start.nextId || row.id > lastId)) return true;
    this.odd = { ...this.odd, unreadable: this.odd.unreadable + 1 };
    if (!(await this.tools.queue.reserve(1))) return false;
    putRows(this.tools, this.symbol, [row]);
    return true;
  }

  private isPlanned({ name }: ArchivedDay, tick: Tick): boolean {
    const { aggTradeId } = tick;
    const { lastId, start } = this.plan;
    if (this.isForeign(tick)) throw foreign(name, tick, this.plan);
    return aggTradeId >= start.nextId && aggTradeId <= lastId;
  }

  /** Ids and times of an exchange rise together: the two disagree where archive and exchange are not of one market. */
  private isForeign({ aggTradeId, eventTime }: Tick): boolean {
    const { first, lastId, start } = this.plan;
    if (aggTradeId === first?.aggTradeId) return eventTime !== first.eventTime;
    if (aggTradeId > lastId) return start.newest !== undefined && eventTime < start.newest.eventTime;
    return aggTradeId < start.nextId && start.cursor === undefined && eventTime >= this.tools.from;
  }

  private take(tick: Tick): void {
    this.rows.push(tick);
    this.before = tick;
    this.nextId = tick.aggTradeId + 1;
  }

  /** A row whose id does not follow the one before. */
  private async takeOdd(tick: Tick): Promise<boolean> {
    if (tick.aggTradeId > this.nextId) {
      if (!(await this.closeGap(tick.aggTradeId))) return false;
      this.take(tick);
      return true;
    }
    const { odd } = this;
    if (tick.aggTradeId === this.before?.aggTradeId) {
      if (isSame(tick, this.before)) {
        this.odd = { ...odd, doubled: odd.doubled + 1 };
        return true;
      }
      this.odd = { ...odd, conflicting: odd.conflicting + 1 };
    } else this.odd = { ...odd, disordered: odd.disordered + 1 };
    return (await this.putRows()) && (await this.put([tick]));
  }

  /** Brings the ids before this one from the exchange, after the rows that come before them. */
  private async closeGap(endId: number): Promise<boolean> {
    if (!(await this.putRows())) return false;
    if (endId === this.nextId) return true;
    const hole = await fillHole(this.tools, this.symbol, { firstId: this.nextId, lastId: endId - 1 });
    if (hole === undefined) return false;
    this.nextId = endId;
    this.tools.notes.filled(this.symbol, hole);
    return true;
  }

  private putRows(): Promise<boolean> {
    return this.put(this.rows.splice(0));
  }

  private async put(ticks: readonly Tick[]): Promise<boolean> {
    if (ticks.length === 0) return true;
    if (!(await this.tools.queue.reserve(ticks.length))) return false;
    this.tools.queue.put(ticks);
    return true;
  }
}

function foreign(
  file: string,
  { aggTradeId, eventTime }: Tick,
  { start, lastId }: SymbolPlan,
): JobFailedError {
  const time = new Date(eventTime).toISOString();
  return new JobFailedError(
    `${file} has trade ${aggTradeId} at ${time}, but the exchange's trades of these days are ${start.nextId} to ${lastId}, and not this one`,
    {
      nextStep:
        'The file is of another exchange. Name two that belong together by --exchange and CRYPTO_ARCHIVE_URL.',
    },
  );
}

const isSame = (one: Tick, other: Tick): boolean => JSON.stringify(one) === JSON.stringify(other);
