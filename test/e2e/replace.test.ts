import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobRun } from '../../src/core/ports/runs.js';
import { aPipeline, eventually, type Pipeline } from '../support/pipeline.js';
import { aTick } from '../support/ticks.js';
import { countsOf } from '../support/warehouse-state.js';

const begin = Date.UTC(2024, 7, 8, 12);
const perMinute = 600;
/** What is sent at once, and the pause after it: a hundred trades a second. */
const [chunk, pauseMs] = [20, 200];
/** The sending ends by itself, should a test forget it. */
const mostTrades = 40_000;

/** Sends trades with ids from 0 on, ten of them in each second of their own time, until it is stopped. */
class Sender {
  sent = 0;
  private isOver = false;
  private readonly done: Promise<void>;

  constructor(private readonly pipeline: Pipeline) {
    this.done = this.send();
  }

  async stop(): Promise<number> {
    this.isOver = true;
    await this.done;
    return this.sent;
  }

  private async send(): Promise<void> {
    await this.pipeline.app.sink.open();
    while (!this.isOver && this.sent < mostTrades) {
      const ids = Array.from({ length: chunk }, (_, index) => this.sent + index);
      await this.pipeline.app.sink.send(
        ids.map((id) =>
          aTick({
            ...{ aggTradeId: id, firstTradeId: id, lastTradeId: id },
            ...{ eventTime: begin + id * 100, quantity: '0.00500000' },
          }),
        ),
      );
      this.sent += chunk;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

describe('a stream that is replaced while trades come', () => {
  let pipeline: Pipeline;
  let sender: Sender;
  let first: JobRun;

  const live = (): Promise<JobRun[]> => pipeline.app.book.list({ job: 'streaming', live: true });
  const given = (more: Readonly<Record<string, string>>): string[] =>
    Object.entries({ ...pipeline.parameters, ...more }).flatMap(([name, value]) => [
      '-p',
      `${name}=${value}`,
    ]);
  const counted = async (): Promise<number> => (await countsOf(pipeline, 'hot')).counted;
  const isCounted = (trades: number): Promise<true> =>
    eventually(`${trades} counted trades`, async () => ((await counted()) >= trades ? true : undefined));
  /** Final bars, and those among them that do not hold every trade of their minute. */
  const bars = async (): Promise<unknown> =>
    (
      await pipeline.rows(
        `SELECT count(*)::int AS final,
           count(*) FILTER (WHERE trade_count <> $1 OR volume <> $1 * 0.005)::int AS wrong
         FROM crypto.crypto_prices_agg_1min WHERE finalized_at IS NOT NULL`,
        [perMinute],
      )
    )[0];
  const isFinal = (minutes: number): Promise<unknown> =>
    eventually(`${minutes} final bars`, async () => {
      const found = (await bars()) as { final: number };
      return found.final >= minutes ? found : undefined;
    });

  beforeAll(async () => {
    pipeline = await aPipeline('replaced');
    sender = new Sender(pipeline);
    first = await pipeline.submit();
    await isCounted(perMinute);
  });
  afterAll(async () => {
    await sender.stop();
    await pipeline.close();
  });

  it('is told by plan what would change, and goes on', async () => {
    const planned = JSON.parse(
      await pipeline.run(['plan', 'streaming', '--json', ...given({ hot_interval_ms: '400' })]),
    ) as Record<string, unknown>;
    expect(planned).toMatchObject({
      running: { runId: first.runId },
      isSame: false,
      parameters: [{ name: 'hot_interval_ms', before: '500', after: '400' }],
      settings: [],
      checkpoint: { kind: 'kept', address: pipeline.parameters['checkpoint_path'] },
    });
    expect(await live()).toMatchObject([
      { runId: first.runId, state: 'RUNNING', stopRequestedAt: undefined },
    ]);
  });

  it('is not stopped for one whose topic the checkpoint does not know', async () => {
    await pipeline.run(['submit', 'streaming', '--replace', ...given({ topic: 'another' })], {
      exitCodes: [3],
    });
    expect(await live()).toMatchObject([
      { runId: first.runId, state: 'RUNNING', stopRequestedAt: undefined },
    ]);
  });

  it('goes on from its checkpoint in another run, and each trade is counted once', async () => {
    const next = JSON.parse(
      await pipeline.run([
        'submit',
        'streaming',
        '--replace',
        '--json',
        ...given({ hot_interval_ms: '400' }),
      ]),
    ) as JobRun & { outcome: string };
    expect(next).toMatchObject({ outcome: 'replaced', replaces: first.runId, state: 'RUNNING' });
    expect(await pipeline.app.book.find(first.runId)).toMatchObject({ state: 'FINISHED' });
    await isCounted(sender.sent);
    expect(await countsOf(pipeline, 'hot', next.runId)).toMatchObject({ repeated: 0, conflicted: 0 });
  });

  it('works on beside rebuild-bars, which finds every final bar equal', async () => {
    await isFinal(4);
    const until = new Date(begin + 4 * 60_000).toISOString().replace('.000', '');
    const from = new Date(begin).toISOString().replace('.000', '');
    const before = await counted();
    await pipeline.run([
      ...['submit', 'rebuild-bars', '--wait', '--timeout', '240', '-p', 'symbols=BTCUSDT'],
      ...['-p', `from=${from}`, '-p', `until=${until}`, '-p', 'replace=true'],
    ]);
    const [rebuilt] = await pipeline.app.book.list({ job: 'rebuild-bars' });
    expect(rebuilt).toMatchObject({
      state: 'FINISHED',
      result: { minutes: 4, equal: 4, different: 0, replaced: 0, refused: {} },
    });
    expect(await counted()).toBeGreaterThan(before);
    expect(await live()).toMatchObject([{ state: 'RUNNING', replaces: first.runId }]);
  });

  it('reads everything again from a new checkpoint, and counts nothing twice', async () => {
    const address = pipeline.parameters['checkpoint_path']!;
    const [before] = await live();
    const next = JSON.parse(
      await pipeline.run([
        ...['submit', 'streaming', '--replace', '--new-checkpoint', '--json', ...given({})],
      ]),
    ) as JobRun & { outcome: string };
    expect(next).toMatchObject({ outcome: 'replaced', replaces: before?.runId, state: 'RUNNING' });
    const sent = await sender.stop();
    const seen = await eventually('every trade again', async () => {
      const sums = await countsOf(pipeline, 'hot', next.runId);
      return sums.counted + sums.repeated >= sent ? sums : undefined;
    });
    expect(seen.counted + seen.repeated).toBe(sent);
    expect(seen.repeated).toBeGreaterThan(perMinute);
    const path = address.slice(pipeline.config.hdfs.root.length);
    expect(await pipeline.app.files.stat(`${path}.until-${before?.runId ?? ''}`)).toBeDefined();
    await pipeline.run(['stop', next.runId, '--timeout', '200']);
    expect(await countsOf(pipeline, 'hot')).toMatchObject({ counted: sent, conflicted: 0, rejected: 0 });
    expect(await bars()).toEqual({ final: Math.ceil(sent / perMinute) - 1, wrong: 0 });
    expect(await pipeline.rows('SELECT ids::text FROM crypto.coverage')).toEqual([{ ids: `{[0,${sent})}` }]);
  });
});
