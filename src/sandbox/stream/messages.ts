import type { TimeScale } from '../answers.js';
import { printedAmounts, type TapeTrade } from '../tapes/tape.js';

/** The payload of one aggregate trade; `eventTime` is when it is sent, epoch ms. */
export function aggTradePayload(
  symbol: string,
  trade: TapeTrade,
  { eventTime, scale }: { readonly eventTime: number; readonly scale: TimeScale },
): string {
  const { price, quantity } = printedAmounts(trade);
  return `{"e":"aggTrade","E":${eventTime * scale},"s":"${symbol}","a":${trade.id},"p":"${price}","q":"${quantity}","f":${trade.firstTradeId},"l":${trade.lastTradeId},"T":${trade.time * scale},"m":${trade.buyerIsMaker},"M":${trade.isBestMatch}}`;
}

/** The event before a planned close. */
export function shutdownPayload(eventTime: number, scale: TimeScale): string {
  return `{"e":"serverShutdown","E":${eventTime * scale}}`;
}

export const SHUTDOWN_STREAM = '!serverShutdown';

/** A payload as a combined connection gets it. */
export function wrapped(stream: string, payload: string): string {
  return `{"stream":"${stream}","data":${payload}}`;
}
