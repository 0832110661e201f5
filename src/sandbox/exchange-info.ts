import { ApiError } from './api-error.js';
import { formatAmount } from './amounts.js';
import { listed, symbolTape, type Market, type TimeScale } from './answers.js';
import type { Params } from './params.js';
import type { SymbolRules } from './tapes/tape.js';
import { WEIGHT_PER_MINUTE } from './weights.js';

const PRECISION = 8;
const rateLimits = [
  { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: WEIGHT_PER_MINUTE },
  { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100 },
  { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: 200_000 },
  { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 61_000 },
];

/** The rules of one symbol, of some, or of all. */
export function exchangeInfo(params: Params, market: Market, scale: TimeScale): string {
  const symbols = params.symbols();
  const symbol = params.optionalSymbol();
  const withPermissions = params.text('showPermissionSets') ?? 'true';
  if (withPermissions !== 'true' && withPermissions !== 'false')
    throw new ApiError(-1130, "Data sent for parameter 'showPermissionSets' is not valid.");
  params.done();
  const names = symbol === undefined ? (symbols ?? listed(market)) : [symbol];
  return JSON.stringify({
    timezone: 'UTC',
    serverTime: market.clock.now() * scale,
    rateLimits,
    exchangeFilters: [],
    symbols: names.map((name) => {
      const tape = symbolTape(market, name);
      const isHalted = tape.isHaltedAt(market.clock.now());
      const status = market.statusOf?.(name) ?? (isHalted ? 'HALT' : 'TRADING');
      return describe(tape.rules, { status, withPermissions: withPermissions === 'true' });
    }),
  });
}

function describe(
  rules: SymbolRules,
  { status, withPermissions }: { readonly status: string; readonly withPermissions: boolean },
): Record<string, unknown> {
  return {
    symbol: rules.symbol,
    status,
    baseAsset: rules.baseAsset,
    baseAssetPrecision: PRECISION,
    quoteAsset: rules.quoteAsset,
    quotePrecision: PRECISION,
    quoteAssetPrecision: PRECISION,
    baseCommissionPrecision: PRECISION,
    quoteCommissionPrecision: PRECISION,
    orderTypes: [
      'LIMIT',
      'LIMIT_MAKER',
      'MARKET',
      'STOP_LOSS',
      'STOP_LOSS_LIMIT',
      'TAKE_PROFIT',
      'TAKE_PROFIT_LIMIT',
    ],
    icebergAllowed: true,
    ocoAllowed: true,
    otoAllowed: true,
    opoAllowed: true,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: true,
    cancelReplaceAllowed: true,
    amendAllowed: true,
    pegInstructionsAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: true,
    filters: filtersOf(rules),
    permissions: [],
    ...(withPermissions ? { permissionSets: [['SPOT', 'MARGIN']] } : {}),
    defaultSelfTradePreventionMode: 'EXPIRE_MAKER',
    allowedSelfTradePreventionModes: ['EXPIRE_TAKER', 'EXPIRE_MAKER', 'EXPIRE_BOTH', 'DECREMENT'],
  };
}

function filtersOf({ tickUnits, lotUnits }: SymbolRules): Record<string, unknown>[] {
  const tick = formatAmount(BigInt(tickUnits));
  const lot = formatAmount(BigInt(lotUnits));
  return [
    { filterType: 'PRICE_FILTER', minPrice: tick, maxPrice: '1000000.00000000', tickSize: tick },
    { filterType: 'LOT_SIZE', minQty: lot, maxQty: '9000.00000000', stepSize: lot },
    { filterType: 'ICEBERG_PARTS', limit: 10 },
    { filterType: 'MARKET_LOT_SIZE', minQty: '0.00000000', maxQty: '100.00000000', stepSize: '0.00000000' },
    {
      filterType: 'TRAILING_DELTA',
      minTrailingAboveDelta: 10,
      maxTrailingAboveDelta: 2000,
      minTrailingBelowDelta: 10,
      maxTrailingBelowDelta: 2000,
    },
    {
      filterType: 'PERCENT_PRICE_BY_SIDE',
      bidMultiplierUp: '5',
      bidMultiplierDown: '0.2',
      askMultiplierUp: '5',
      askMultiplierDown: '0.2',
      avgPriceMins: 5,
    },
    {
      filterType: 'NOTIONAL',
      minNotional: '5.00000000',
      applyMinToMarket: true,
      maxNotional: '9000000.00000000',
      applyMaxToMarket: false,
      avgPriceMins: 5,
    },
    { filterType: 'MAX_NUM_ORDERS', maxNumOrders: 200 },
    { filterType: 'MAX_NUM_ALGO_ORDERS', maxNumAlgoOrders: 5 },
  ];
}
