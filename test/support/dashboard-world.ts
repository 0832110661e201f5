import type pg from 'pg';
import { createReconciliations } from '../../src/adapters/postgres-reconciliations.js';
import { createPostgresRuns } from '../../src/adapters/postgres-runs.js';
import { queryRows } from '../../src/adapters/postgres.js';
import type { JudgedMinute } from '../../src/core/minute-verdict.js';
import { archiveLine } from '../../src/sandbox/archive/archive-lines.js';
import { GeneratedTape } from '../../src/sandbox/tapes/generated.js';
import { countBars } from './count-bars.js';
import { aRun } from './memory-runs.js';
import { barsOfTape } from './tape-bars.js';

const minuteMs = 60_000;
const source = 'binance-spot';

/** Where the tape is cut from: it is the same in every run, whatever time it is. */
const tapeBegin = Date.UTC(2026, 0, 15, 9);

/** A market that is counted into the warehouse up to a time, as the job would, without Kafka and Spark. */
export class DashboardWorld {
  private readonly tapes: readonly { readonly symbol: string; readonly tape: GeneratedTape; next: number }[];
  /** Ids of the first symbol that never come: [from, to). */
  private lost: readonly [number, number] = [0, 0];

  /** The tape is played as if it had begun at `begin`, a whole minute; all times are epoch ms. */
  constructor(
    private readonly pool: pg.Pool,
    symbols: readonly string[],
    private readonly begin: number,
  ) {
    this.tapes = symbols.map((symbol) => {
      const tape = new GeneratedTape({ symbol, seed: 'dashboard', ratePerSecond: 2, begin: tapeBegin });
      return { symbol, tape, next: tape.begin };
    });
  }

  /** Nobody has counted the trades of the first symbol between these times; how many there are. */
  lose(from: number, to: number): number {
    const position = (time: number): number => this.tapes[0]!.tape.positionAt(time - this.shiftMs);
    this.lost = [position(from), position(to)];
    return this.lost[1] - this.lost[0];
  }

  private get shiftMs(): number {
    return this.begin - tapeBegin;
  }

  /** Counts what was traded before `time` and is not counted yet; the job says that it lives. */
  async countUntil(time: number): Promise<void> {
    for (const one of this.tapes) {
      const end = one.tape.positionAt(time - this.shiftMs);
      const lost = one === this.tapes[0] ? this.lost : [0, 0];
      const trades = one.tape.trades(one.next, end).filter(({ id }) => id < lost[0] || id >= lost[1]);
      one.next = Math.max(one.next, end);
      if (trades.length === 0) continue;
      const rows = trades
        .map((trade) => ({ ...trade, time: trade.time + this.shiftMs }))
        .map((trade) => archiveLine(trade, 1).trim().split(','));
      const ids = [...rangesOf(trades.map(({ id }) => id))].map(([first, last]) => `[${first},${last}]`);
      await this.keepNewest(one.symbol, rows.at(-1)!);
      await countBars(this.pool, barsOfTape(rows, one.symbol, minuteMs), ids);
    }
    await queryRows(this.pool, `UPDATE crypto.job_runs SET heartbeat_at = now() WHERE state = 'RUNNING'`);
  }

  /** What verify would have found in these minutes. */
  async reconcile(symbol: string, minutes: readonly JudgedMinute[]): Promise<void> {
    await createReconciliations(this.pool).save({ source, symbol, against: 'rest', minutes });
  }

  /** One run that lives and one that has failed. */
  async bookRuns(): Promise<void> {
    const book = createPostgresRuns(this.pool);
    await book.open(aRun({ runId: 'failed-run', job: 'quality' }), { single: false });
    await book.setState('failed-run', 'FAILED', 'DataError: 2 rows violate leaves_add_up');
    await book.open(aRun({ runId: 'living-run', job: 'streaming' }), { single: true });
    await book.setState('living-run', 'RUNNING');
    await queryRows(
      this.pool,
      `UPDATE crypto.job_runs SET created_at = now() - INTERVAL '4 hours', started_at = now() - INTERVAL '4 hours',
         heartbeat_at = now() WHERE run_id = 'living-run'`,
    );
  }

  /** When the newest final bar of a symbol became final. */
  async newestFinal(symbol: string): Promise<{ readonly at: number; readonly finalizedAt: number }> {
    const [row] = await queryRows<{ window_start: Date; finalized_at: Date }>(
      this.pool,
      `SELECT window_start, finalized_at FROM crypto.crypto_prices_agg_1min
       WHERE symbol = $1 AND finalized_at IS NOT NULL ORDER BY window_start DESC LIMIT 1`,
      [symbol],
    );
    return { at: row!.window_start.getTime(), finalizedAt: row!.finalized_at.getTime() };
  }

  /** Minutes that are final, quiet ones too, and that verify has found equal. */
  async countVerified(symbol: string): Promise<number> {
    const [row] = await queryRows<{ minutes: number }>(
      this.pool,
      `SELECT count(*)::int AS minutes FROM crypto.candles_1min AS candle
       JOIN crypto.reconciliations AS found USING (source, symbol, window_start)
       WHERE symbol = $1 AND candle.is_final AND found.verdict = 'equal'`,
      [symbol],
    );
    return row!.minutes;
  }

  private async keepNewest(symbol: string, row: readonly string[]): Promise<void> {
    const time = Number(row[5]);
    await queryRows(this.pool, 'SELECT crypto.ensure_day($1)', [new Date(time).toISOString().slice(0, 10)]);
    await queryRows(
      this.pool,
      `INSERT INTO crypto.crypto_prices_clean
       VALUES ($1, $2, $3, $4, $5, $6::int8, to_timestamp($6::int8 / 1000.0), $7, $8, $9)`,
      [source, symbol, row[0], row[3], row[4], time, row[1], row[2], row[6] === 'True'],
    );
  }
}

/** Ids in order, as ranges without a gap. */
function* rangesOf(ids: readonly number[]): Generator<[first: number, last: number]> {
  let first = ids[0]!;
  for (const [index, id] of ids.entries()) {
    if (ids[index + 1] === id + 1) continue;
    yield [first, id];
    first = ids[index + 1]!;
  }
}
