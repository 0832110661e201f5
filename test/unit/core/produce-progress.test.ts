import { describe, expect, it } from 'vitest';
import { ProgressCounter } from '../../../src/core/produce-progress.js';
import { aTick, ticksFrom } from '../../support/ticks.js';

describe('ProgressCounter', () => {
  it('counts what is acknowledged, per symbol and in all', () => {
    const counter = new ProgressCounter(['BTCUSDT', 'ETHUSDT'], 0);
    counter.acknowledged(ticksFrom(10, 29), 1000);
    counter.acknowledged(ticksFrom(30, 39), 1500);
    counter.acknowledged(ticksFrom(1, 5, 'ETHUSDT'), 2000);
    const progress = counter.at(2000);
    expect(progress.sent).toBe(35);
    expect(progress.symbols[0]).toMatchObject({ sent: 30, firstId: 10, lastId: 39, tradesPerSecond: 15 });
    expect(progress.symbols[1]).toMatchObject({ sent: 5, firstId: 1, lastId: 5 });
  });

  it('forgets for the rate what is older than ten seconds', () => {
    const counter = new ProgressCounter(['BTCUSDT'], 0);
    counter.acknowledged(ticksFrom(1, 1000), 1000);
    counter.acknowledged(ticksFrom(1001, 1100), 9000);
    expect(counter.at(10_000).tradesPerSecond).toBe(110);
    expect(counter.at(11_001).tradesPerSecond).toBe(10);
    expect(counter.at(60_000).tradesPerSecond).toBe(0);
  });

  it('measures in trade time how far it is behind, and is not behind a quiet market', () => {
    const counter = new ProgressCounter(['BTCUSDT'], 0);
    expect(counter.at(0).symbols[0]?.behindSeconds).toBeUndefined();
    const [tick] = ticksFrom(1, 1);
    counter.sawNewest('BTCUSDT', tick!.eventTime + 90_000);
    counter.acknowledged([tick!], 1);
    expect(counter.at(1).symbols[0]?.behindSeconds).toBe(90);
    counter.acknowledged([aTick({ aggTradeId: 2, eventTime: tick!.eventTime + 90_000 })], 2);
    expect(counter.at(3_600_000).symbols[0]?.behindSeconds).toBe(0);
  });

  it('knows from a cursor where an earlier run ended, and counts nothing for it', () => {
    const counter = new ProgressCounter(['BTCUSDT'], 0);
    counter.resumed(aTick({ aggTradeId: 77 }));
    expect(counter.at(1).symbols[0]).toMatchObject({ sent: 0, firstId: undefined, lastId: 77 });
    expect(counter.lastAcknowledged()).toMatchObject([{ aggTradeId: 77 }]);
  });
});
