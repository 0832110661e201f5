/**
 * One message of the topic: an aggregate trade of an exchange (or a price sample of the ticker feed).
 *
 * Price and quantity are exact decimal texts, `eventTime` is the trade's own time in epoch milliseconds, and ids are
 * below 2^53. A neutralised trade has `firstTradeId` -1, price and quantity 0: it is covered and counted as nothing.
 */
export interface Tick {
  readonly source: string;
  readonly symbol: string;
  readonly aggTradeId: number;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
  readonly price: string;
  readonly quantity: string;
  readonly eventTime: number;
  readonly buyerIsMaker: boolean;
}
