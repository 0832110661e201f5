import type { Tick } from './tick.js';

/**
 * The value of a tick's message: one JSON object. The names `symbol`, `price` and `eventTime` are those that readers of the
 * topic have always found there.
 *
 * Concatenated, not `JSON.stringify`: this runs once per trade and is most of what a replay costs. It is safe because a tick
 * holds numbers, a flag, decimal texts and names that are checked before (`parseAggTrade`, the symbol pattern of the
 * configuration): nothing that JSON would have to escape.
 */
export function tickMessage(tick: Tick): string {
  return (
    '{"source":"' +
    tick.source +
    '","symbol":"' +
    tick.symbol +
    '","price":"' +
    tick.price +
    '","quantity":"' +
    tick.quantity +
    `","eventTime":${tick.eventTime},"aggTradeId":${tick.aggTradeId},"firstTradeId":${tick.firstTradeId}` +
    `,"lastTradeId":${tick.lastTradeId},"buyerIsMaker":${tick.buyerIsMaker}}`
  );
}
