import type { TradeArchive } from '../../src/core/ports/archive.js';
import { unreadableRow, type TradeRow } from '../../src/core/trade-row.js';
import type { Tick } from '../../src/core/tick.js';
import { dayText } from '../../src/core/utc-day.js';

/** An archive in memory: the pages of each file by `BTCUSDT 2024-08-08`. Remembers what was opened, and how much was closed. */
export class FakeArchive implements TradeArchive {
  readonly opened: string[] = [];
  closed = 0;
  /** Rows that cannot be read, by id, with the reason. */
  readonly unreadable = new Map<number, string>();
  /** Runs before a page is given out. */
  onPage: (page: readonly Tick[]) => void = () => undefined;

  constructor(readonly files: Record<string, readonly (readonly Tick[])[]>) {}

  openDay(symbol: string, day: number) {
    const name = `${symbol} ${dayText(day)}`;
    this.opened.push(name);
    const pages = this.files[name];
    if (pages === undefined) return Promise.resolve(undefined);
    return Promise.resolve({
      name,
      rows: () => this.give(pages),
      close: () => {
        this.closed += 1;
        return Promise.resolve();
      },
    });
  }

  private rowOf(tick: Tick): TradeRow {
    const reason = this.unreadable.get(tick.aggTradeId);
    return reason === undefined
      ? { id: tick.aggTradeId, tick }
      : unreadableRow(tick.aggTradeId, reason, `line of ${tick.aggTradeId}`);
  }

  private async *give(pages: readonly (readonly Tick[])[]): AsyncGenerator<readonly TradeRow[]> {
    for (const page of pages) {
      this.onPage(page);
      yield await Promise.resolve(page.map((tick) => this.rowOf(tick)));
    }
  }
}
