import { describe, expect, it } from 'vitest';
import { JobFailedError, UsageError } from '../../../src/core/errors.js';
import type { Tick } from '../../../src/core/tick.js';
import {
  archiveOf,
  august8,
  bring,
  cursorAt,
  dayMs,
  first,
  last,
  numbers,
  tape,
  trade,
  trades,
  worldOf,
  type World,
} from '../../support/archive-world.js';
import { FakeArchive } from '../../support/fake-archive.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { aTick } from '../../support/ticks.js';

describe('a whole archive', () => {
  it('is sent in order of id, exactly the days that were asked for, and the exchange is asked for nothing of it', async () => {
    const world = worldOf();
    const { summary, report } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(first, last));
    expect(summary).toMatchObject({ ended: 'caught up', sent: 72 });
    expect(report).toMatchObject({ files: 3, missingFiles: 0, holes: 0, unpublishedIds: 0 });
    expect(world.exchange.queries.filter(({ limit }) => limit > 1)).toEqual([]);
    expect(world.archive.closed).toBe(3);
  });

  it('leaves a cursor that names the range', async () => {
    const world = worldOf();
    await bring(world);
    const cursors = world.topic.events.findLast((event) => typeof event === 'object' && 'cursors' in event);
    expect(cursors).toMatchObject({
      cursors: [{ feed: 'archive:2024-08-08..2024-08-10', aggTradeId: last, endedBy: 'caught up' }],
    });
  });

  it('may be of many symbols, also of more than are read at once', async () => {
    const symbols = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT', 'EUSDT', 'FUSDT'];
    const all = symbols.map((symbol) => [symbol, trades(1000, 1143, symbol)] as const);
    const world = worldOf({
      archive: archiveOf(all.flatMap(([, ticks]) => ticks)),
      exchange: new FakeExchange(Object.fromEntries(all)),
    });
    await bring(world);
    for (const symbol of symbols) expect(world.topic.idsOf(symbol)).toEqual(numbers(first, last));
  });

  it('is read no faster than Kafka takes it', async () => {
    const world = worldOf();
    let given = 0;
    let sent = 0;
    let most = 0;
    world.archive.onPage = (page) => {
      given += page.length;
      most = Math.max(most, given - sent);
    };
    world.topic.onSend = async (ticks) => {
      await new Promise((resolve) => setImmediate(resolve));
      sent += ticks.length;
    };
    await bring(world, { capacity: 10, batchSize: 5 });
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(first, last));
    expect(most).toBeLessThanOrEqual(15);
  });
});

describe('what the archive lacks', () => {
  const without = (...ids: number[]): FakeArchive =>
    archiveOf(tape().filter(({ aggTradeId }) => !ids.includes(aggTradeId)));

  it.each([
    ['in the middle of a page', numbers(1050, 1051)],
    ['between two pages', numbers(1052, 1054)],
    ['at the end of a day and the beginning of the next', numbers(1070, 1073)],
    ['at the beginning of the range', numbers(1048, 1050)],
    ['at its end', numbers(1115, 1119)],
    ['a day without a file', numbers(1072, 1095)],
    ['all', numbers(1048, 1119)],
  ])('comes from the exchange before what follows: %s', async (_where, ids) => {
    const world = worldOf({ archive: without(...ids) });
    const { report, events } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(first, last));
    expect(report).toMatchObject({ holes: 1, fetched: ids.length, unpublishedIds: 0 });
    expect(events).toContainEqual({
      kind: 'hole',
      symbol: 'BTCUSDT',
      hole: { firstId: ids[0], lastId: ids.at(-1), fetched: ids.length, unreadable: 0, unpublished: [] },
    });
  });

  it('is said of a day without a file', async () => {
    const world = worldOf({ archive: without(...numbers(1072, 1095)) });
    const { report, events } = await bring(world);
    expect(events[0]).toEqual({ kind: 'missing file', symbol: 'BTCUSDT', day: '2024-08-09' });
    expect(report).toMatchObject({ files: 2, missingFiles: 1 });
  });

  it('was never published where the exchange does not have it either, and is named', async () => {
    const lost = [1050, 1051, 1060, 1119];
    const present = tape().filter(({ aggTradeId }) => !lost.includes(aggTradeId));
    const world = worldOf({ archive: archiveOf(present), exchange: new FakeExchange({ BTCUSDT: present }) });
    const { report } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(first, last).filter((id) => !lost.includes(id)));
    expect(report).toMatchObject({ holes: 3, fetched: 0, unpublishedIds: 4 });
    expect(report.unpublished).toEqual([
      { symbol: 'BTCUSDT', firstId: 1050, lastId: 1051 },
      { symbol: 'BTCUSDT', firstId: 1060, lastId: 1060 },
      { symbol: 'BTCUSDT', firstId: 1119, lastId: 1119 },
    ]);
  });

  it('is not taken for unpublished because an answer is short', async () => {
    const world = worldOf({ archive: without(...numbers(1072, 1095)) });
    const trades = world.exchange.trades.bind(world.exchange);
    world.exchange.trades = async (query) => (await trades(query)).slice(0, 5);
    const { report } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(first, last));
    expect(report).toMatchObject({ fetched: 24, unpublishedIds: 0 });
  });

  it('is fetched in bounded pages, and a span that the exchange passes over is not asked for piece by piece', async () => {
    const many = Array.from({ length: 9000 }, (_, index) =>
      aTick({ aggTradeId: index < 5500 ? index : 2_000_000 + index, eventTime: august8 + index }),
    );
    const world = worldOf({
      archive: new FakeArchive({}),
      exchange: new FakeExchange({ BTCUSDT: many }),
    });
    const { report } = await bring(world, { capacity: 2000 });
    expect(world.topic.idsOf('BTCUSDT')).toEqual(many.map(({ aggTradeId }) => aggTradeId));
    expect(report.unpublished).toEqual([{ symbol: 'BTCUSDT', firstId: 5500, lastId: 2_005_499 }]);
    expect(world.exchange.queries.length).toBeLessThan(25);
    expect(Math.max(...world.exchange.queries.map(({ limit }) => limit))).toBe(1000);
  });
});

describe('rows that are not in order of id, each once', () => {
  const day = (...ticks: Tick[]): World =>
    worldOf({
      archive: new FakeArchive({ 'BTCUSDT 2024-08-08': [ticks] }),
      exchange: new FakeExchange({ BTCUSDT: trades(1048, 1055) }),
    });

  it('stores a row that cannot be read, and takes its trade from the exchange; where that cannot either, its id stays missing', async () => {
    const world = day(...trades(1048, 1055));
    world.archive.unreadable.set(1050, 'its price');
    world.archive.unreadable.set(1053, 'its price');
    world.exchange.unreadable.set(1053, 'its price too');
    const { report, events } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual([1048, 1049, 1050, 1051, 1052, 1054, 1055]);
    expect(world.topic.rejected.map(({ id, reason, raw }) => [id, reason, raw.slice(0, 12)])).toEqual([
      [1050, 'its price', 'line of 1050'],
      [1053, 'its price', 'line of 1053'],
      [1053, 'its price too', '{"source":"b'],
    ]);
    expect(report).toMatchObject({ holes: 2, fetched: 1, unpublishedIds: 0, odd: { unreadable: 2 } });
    expect(events.at(-1)).toMatchObject({ kind: 'odd file' });
  });

  it('leaves a doubled row out', async () => {
    const world = day(...trades(1048, 1050), trade(1050), ...trades(1051, 1055));
    const { report } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(1048, 1055));
    expect(report.odd).toEqual({ doubled: 1, conflicting: 0, disordered: 0, unreadable: 0 });
  });

  it('sends two trades of one id both: the job keeps the first and stores the other', async () => {
    const other = { ...trade(1050), price: '1.00000000' };
    const world = day(...trades(1048, 1050), other, ...trades(1051, 1055));
    const { report, events } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual([1048, 1049, 1050, 1050, 1051, 1052, 1053, 1054, 1055]);
    expect(report.odd).toEqual({ doubled: 0, conflicting: 1, disordered: 0, unreadable: 0 });
    expect(events).toMatchObject([{ kind: 'odd file', file: 'BTCUSDT 2024-08-08' }]);
  });

  it('does so where the two stand in the files of two days', async () => {
    const world = worldOf();
    world.archive.files['BTCUSDT 2024-08-09'] = [
      [{ ...trade(1071), eventTime: trade(1072).eventTime }],
      trades(1072, 1095),
    ];
    const { report } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual([...numbers(first, 1071), 1071, ...numbers(1072, last)]);
    expect(report.odd.conflicting).toBe(1);
  });

  it('sends a row out of order too, after its place was filled from the exchange; the cursor does not go back', async () => {
    const world = day(...trades(1048, 1050), ...trades(1052, 1055), trade(1051));
    const { report } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual([...numbers(1048, 1055), 1051]);
    expect(report).toMatchObject({ fetched: 1, odd: { doubled: 0, conflicting: 0, disordered: 1 } });
    expect(world.topic.cursorOf('BTCUSDT')).toBe(1055);
  });

  it('passes neutralised rows on as they are', async () => {
    const neutral = { ...trade(1050), firstTradeId: -1, lastTradeId: -1, price: '0', quantity: '0' };
    const world = day(...trades(1048, 1049), neutral, ...trades(1051, 1055));
    await bring(world);
    expect(world.topic.events[0]).toMatchObject({
      sent: [{}, {}, { firstTradeId: -1, quantity: '0' }, {}, {}, {}, {}, {}],
    });
  });

  it('refuses a file whose ids are not those of the exchange', async () => {
    for (const foreign of [
      { ...trade(1048), eventTime: august8 + 1 },
      { ...trade(1052), aggTradeId: 9_000 },
      { ...trade(1060), aggTradeId: 3 },
    ]) {
      const world = day(foreign);
      await expect(bring(world)).rejects.toThrow(JobFailedError);
      expect(world.topic.idsOf('BTCUSDT')).toEqual([]);
    }
  });
});

describe('a second start', () => {
  it('goes on after the cursor, without opening the days that are done', async () => {
    const world = worldOf({ topic: new FakeTopic([cursorAt(1080)]) });
    await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(1081, last));
    expect(world.archive.opened).toEqual(['BTCUSDT 2024-08-09', 'BTCUSDT 2024-08-10']);
  });

  it('does not open the day whose last trade the cursor names', async () => {
    const world = worldOf({ topic: new FakeTopic([cursorAt(1095)]) });
    await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(1096, last));
    expect(world.archive.opened).toEqual(['BTCUSDT 2024-08-10']);
  });

  it('sends nothing where all is sent', async () => {
    const world = worldOf({ topic: new FakeTopic([cursorAt(last)]) });
    const { summary } = await bring(world);
    expect(summary).toMatchObject({ ended: 'caught up', sent: 0 });
    expect(world.archive.opened).toEqual([]);
  });

  it('begins anew for another range, and when cursors shall not count', async () => {
    for (const options of [{ to: august8 + dayMs }, { ignoreCursor: true }]) {
      const world = worldOf({ topic: new FakeTopic([cursorAt(last)]) });
      await bring(world, options);
      expect(world.topic.idsOf('BTCUSDT')[0]).toBe(first);
    }
  });

  it('refuses to go on after the trades of another exchange', async () => {
    const world = worldOf({ topic: new FakeTopic([{ ...cursorAt(1080), eventTime: august8 }]) });
    await expect(bring(world)).rejects.toThrow('where this exchange has trade 1080');
    expect(world.archive.opened).toEqual([]);
  });

  it('fills a hole that the first one was stopped before', async () => {
    const world = worldOf({
      archive: archiveOf(tape().filter(({ aggTradeId }) => aggTradeId < 1081 || aggTradeId > 1084)),
      topic: new FakeTopic([cursorAt(1080)]),
    });
    await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(1081, last));
  });

  it('ends where it stands when it is stopped, with the file closed', async () => {
    const world = worldOf();
    const stop = new AbortController();
    world.topic.onSend = () => stop.abort();
    const { summary } = await bring(world, { signal: stop.signal, capacity: 10, batchSize: 5 });
    const sent = world.topic.idsOf('BTCUSDT');
    expect(summary.ended).toBe('stopped');
    expect(sent.length).toBeLessThan(72);
    expect(sent).toEqual(numbers(first, first + sent.length - 1));
    expect(world.topic.cursorOf('BTCUSDT')).toBe(sent.at(-1));
    expect(world.archive.closed).toBe(world.archive.opened.length);
  });
});

describe('days', () => {
  it('are refused while they are not over', async () => {
    const world = worldOf();
    await expect(bring(world, { to: Date.UTC(2027, 0, 15) })).rejects.toThrow(UsageError);
    expect(world.topic.idsOf('BTCUSDT')).toEqual([]);
  });

  it('that are not over are brought as far as exchange and archive have them', async () => {
    const today = Date.UTC(2027, 0, 15);
    const ticks = Array.from({ length: 9 }, (_, index) =>
      aTick({ aggTradeId: index, eventTime: today + index }),
    );
    const world = worldOf({
      archive: archiveOf(ticks),
      exchange: new FakeExchange({ BTCUSDT: ticks.slice(0, 7) }),
    });
    await bring(world, { to: today });
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(0, 6));
  });

  it('before the first trade of a symbol have no file, and none is looked for', async () => {
    const young = trades(1100, 1143);
    const world = worldOf({ archive: archiveOf(young), exchange: new FakeExchange({ BTCUSDT: young }) });
    const { report } = await bring(world);
    expect(world.topic.idsOf('BTCUSDT')).toEqual(numbers(1100, last));
    expect(report).toMatchObject({ files: 1, missingFiles: 0 });
  });

  it('in which a symbol was not traded bring nothing', async () => {
    const { summary } = await bring(worldOf({ exchange: new FakeExchange({ BTCUSDT: trades(1000, 1020) }) }));
    expect(summary.sent).toBe(0);
  });
});
