import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileStore } from '../../src/core/ports/files.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import type { Tick } from '../../src/core/tick.js';
import { aPipeline, eventually, type Pipeline } from '../support/pipeline.js';
import { aTick } from '../support/ticks.js';
import { stateOf } from '../support/warehouse-state.js';

const begin = Date.UTC(2024, 7, 8, 12);
const at = (minute: number): string => new Date(begin + minute * 60_000).toISOString().replace('.000', '');
const range = [`from=${at(0)}`, `until=${at(16)}`];

/** One trade a second: minute 5 and minute 10 have ids of two parts. Id 333 is a neutralised row. */
const tickOf = (id: number): Tick =>
  aTick({
    aggTradeId: id,
    eventTime: begin + id * 1000,
    price: id === 333 ? '0.00000000' : `${1000 + (id % 17)}.25000000`,
    quantity: id === 333 ? '0.00000000' : '0.00500000',
    buyerIsMaker: id % 3 === 0,
    ...(id === 333 ? { firstTradeId: -1, lastTradeId: -1 } : {}),
  });
const ticks = (first: number, last: number): Tick[] =>
  Array.from({ length: last - first + 1 }, (_, index) => tickOf(first + index));
const parts = [
  ticks(1, 300),
  ticks(301, 600),
  // Repeats, and one id with another price: it contradicts what was counted.
  [...ticks(601, 900), ...ticks(100, 110), { ...tickOf(50), price: '7.00000000' }],
];

interface Leaf {
  readonly path: string;
  readonly content: Uint8Array;
}

async function filesBelow(store: FileStore, folder: string): Promise<string[]> {
  const entries = await store.list(folder);
  const nested = await Promise.all(
    entries.map(({ path, isFolder }) => (isFolder ? filesBelow(store, path) : Promise.resolve([path]))),
  );
  return nested.flat();
}

describe('the jobs over the lake', () => {
  let pipeline: Pipeline;
  let leaf: Leaf[];

  /** Sends one part and waits until the lake has it; which batches brought it. */
  async function bring(part: readonly Tick[], messages: number): Promise<string[]> {
    const known = await batches();
    await pipeline.app.sink.send(part);
    await eventually('the part in the lake', async () => {
      const [found] = await pipeline.rows<{ hot: number; lake: number }>(
        `SELECT coalesce(sum(next_offset) FILTER (WHERE query = 'hot'), 0)::int AS hot,
           coalesce(sum(next_offset) FILTER (WHERE query = 'lake'), 0)::int AS lake FROM crypto.committed_offsets`,
      );
      return found?.hot === messages && found.lake === messages ? found : undefined;
    });
    return (await batches()).filter((batch) => !known.includes(batch));
  }
  const batches = async (): Promise<string[]> =>
    (
      await pipeline.rows<{ batch: string }>(
        `SELECT DISTINCT generation || '-' || batch_id AS batch FROM crypto.batches WHERE query = 'lake'`,
      )
    ).map(({ batch }) => batch);

  beforeAll(async () => {
    pipeline = await aPipeline('lakejobs');
    await pipeline.app.sink.open();
    const { runId } = await pipeline.submit();
    await bring(parts[0]!, 300);
    const middle = await bring(parts[1]!, 600);
    await bring(parts[2]!, 912);
    await pipeline.run(['stop', runId, '--timeout', '200']);
    const files = await filesBelow(pipeline.app.files, `${pipeline.folder}/clean`);
    const paths = files.filter((path) => middle.some((batch) => path.includes(`/batch=${batch}/`)));
    leaf = await Promise.all(
      paths.map(async (path) => ({ path, content: await pipeline.app.files.read(path) })),
    );
  });
  afterAll(() => pipeline.close());

  const remove = async (): Promise<void> => {
    for (const { path } of leaf) await pipeline.app.files.remove(path);
  };
  const restore = async (): Promise<void> => {
    for (const { path, content } of leaf) await pipeline.app.files.write(path, content);
  };

  async function run(job: string, exitCode: number, parameters: readonly string[]): Promise<JobRun> {
    const given = parameters.flatMap((parameter) => ['-p', parameter]);
    await pipeline.run(['submit', job, '--wait', '--timeout', '240', ...given], { exitCodes: [exitCode] });
    const [found] = await pipeline.app.book.list({ job });
    return found!;
  }
  const rebuild = (exitCode: number, ...parameters: readonly string[]): Promise<JobRun> =>
    run('rebuild-bars', exitCode, ['symbols=BTCUSDT', ...range, ...parameters]);

  const spoil = async (minute: number, change: string): Promise<void> => {
    const place = `WHERE window_start = '${at(minute)}'`;
    await pipeline.rows(
      `DO $$ BEGIN SET LOCAL session_replication_role = replica;
         ${change === 'DELETE' ? 'DELETE FROM' : 'UPDATE'} crypto.crypto_prices_agg_1min ${change === 'DELETE' ? '' : change} ${place};
       END $$`,
    );
  };
  const quality = (exitCode: number): Promise<JobRun> =>
    run('quality', exitCode, [`rejected_path=${pipeline.parameters['rejected_path']!}`, 'day=none']);
  const failedChecks = ({ runId }: JobRun): Promise<unknown[]> =>
    pipeline.rows(
      `SELECT check_name, severity, violations FROM crypto.quality_results
       WHERE run_id = $1 AND NOT passed ORDER BY check_name`,
      [runId],
    );
  /** Id 50 came a second time with another price: nothing is wrong with what was counted. */
  const warned = { check_name: 'repeats_are_equal', severity: 'warning', violations: 1 };

  const booked = async ({ runId }: JobRun): Promise<unknown[]> =>
    (
      await pipeline.rows(
        `SELECT (extract(epoch FROM window_start) * 1000 - $2)::int / 60000 AS minute, verdict, reason,
           missing_ids::text AS missing
         FROM crypto.rebuilt_minutes WHERE run_id = $1 ORDER BY window_start`,
        [runId, begin],
      )
    ).map((row) => Object.values(row));

  describe('rebuild-bars, with bars that were spoiled and a leaf that was removed', () => {
    /** What the removed leaf held, by minute; the counted trades are known, so their neighbours are not touched. */
    const refused = [
      [5, 'refused', 'missing ids', '{[301,360)}'],
      [6, 'refused', 'missing ids', '{[360,420)}'],
      [7, 'refused', 'missing ids', '{[420,480)}'],
      [8, 'refused', 'missing ids', '{[480,540)}'],
      [9, 'refused', 'missing ids', '{[540,600)}'],
      [10, 'refused', 'missing ids', '{[600,601)}'],
    ];
    let before: Awaited<ReturnType<typeof stateOf>>;

    it('finds exactly those', async () => {
      before = await stateOf(pipeline);
      expect(before.bars.rows).toBe(16);
      await spoil(2, 'SET volume = volume + 1, close_price = 7');
      await spoil(3, 'DELETE');
      await spoil(7, 'SET trade_count = 1');
      await remove();
      const found = await rebuild(5);
      expect(found).toMatchObject({
        state: 'FAILED',
        error: expect.stringContaining(
          '2 of 16 minutes differ from the lake and 6 were refused (6 missing ids)',
        ) as string,
        result: { minutes: 16, equal: 8, different: 2, replaced: 0, refused: { 'missing ids': 6 } },
      });
      expect((found.result?.['first'] as unknown[])[0]).toEqual({
        symbol: 'BTCUSDT',
        minute: '2024-08-08T12:02:00+00:00',
        verdict: 'different',
        reason: null,
        missing_ids: '{}',
        differences: [
          { field: 'close_price', warehouse: '7.00000000', lake: '1009.25000000' },
          { field: 'volume', warehouse: '1.30000000', lake: '0.30000000' },
        ],
      });
      expect(await booked(found)).toEqual([
        [2, 'different', null, '{}'],
        [3, 'different', null, '{}'],
        ...refused,
      ]);
    });

    it('mends those with the whole lake, and refuses the others', async () => {
      const found = await rebuild(5, 'replace=true');
      expect(found.result).toMatchObject({
        equal: 8,
        different: 0,
        replaced: 2,
        refused: { 'missing ids': 6 },
      });
      expect(await booked(found)).toEqual([
        [2, 'replaced', null, '{}'],
        [3, 'replaced', null, '{}'],
        ...refused,
      ]);
    });

    it('and quality says what the lake lacks', async () => {
      const found = await quality(5);
      const leaves = new Set(leaf.map(({ path }) => path.slice(0, path.lastIndexOf('/')))).size;
      expect(found.error).toContain(
        `2 of 13 checks failed: lake_holds_counted_ids (1), leaves_add_up (${leaves}).`,
      );
      expect(await failedChecks(found)).toEqual([
        { check_name: 'lake_holds_counted_ids', severity: 'error', violations: 1 },
        { check_name: 'leaves_add_up', severity: 'error', violations: leaves },
        warned,
      ]);
      expect(
        await pipeline.rows(
          `SELECT sample FROM crypto.quality_results WHERE run_id = $1 AND check_name = 'lake_holds_counted_ids'`,
          [found.runId],
        ),
      ).toEqual([
        { sample: [{ source: 'binance-spot', symbol: 'BTCUSDT', first_missing: 301, last_missing: 600 }] },
      ]);
    });

    it('mends the last one too when the leaf is back, and then every row is as it was', async () => {
      await restore();
      const found = await rebuild(0, 'replace=true');
      expect(found).toMatchObject({
        state: 'FINISHED',
        result: { minutes: 16, equal: 15, different: 0, replaced: 1, refused: {} },
      });
      expect(await booked(found)).toEqual([[7, 'replaced', null, '{}']]);
      expect(await stateOf(pipeline)).toEqual(before);
    });

    it('and quality passes', async () => {
      const found = await quality(0);
      expect(found).toMatchObject({
        state: 'FINISHED',
        result: { checks: 13, failed: {}, warnings: { repeats_are_equal: 1 } },
      });
      expect(await failedChecks(found)).toEqual([warned]);
    });
  });
});
