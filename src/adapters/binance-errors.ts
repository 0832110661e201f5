import { RefusedError, UnknownSymbolError, UnreachableError, type CryptopipeError } from '../core/errors.js';
import type { AnswerHeaders, HttpAnswer } from '../http/http-call.js';
import { retryAfterMs } from '../core/retry.js';

/** One GET of the exchange's REST interface. */
export interface ExchangeCall {
  readonly path: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly weight: number;
}

const marketDataHost = 'https://data-api.binance.vision';

/** The firewall blocks an address for minutes; each request meanwhile prolongs it. */
const firewallPauseMs = 180_000;
/** A limit holds until the minute turns; the shortest ban is two minutes. */
const limitPauseMs = { 429: 60_000, 418: 120_000 } as const;
/** The longest ban is three days: a time beyond that is a wrong clock. */
const longestPauseMs = 3 * 86_400_000;

/** Invalid symbol; illegal characters, which of our parameters only a symbol can have. */
const unknownSymbolCodes: ReadonlySet<number | undefined> = new Set([-1121, -1100]);
/** The exchange's own errors that pass: unknown, disconnected, too many, unexpected, time-out, busy, service gone. */
const passingCodes: ReadonlySet<number | undefined> = new Set([
  -1000, -1001, -1003, -1006, -1007, -1008, -1016,
]);

/** Where the answer came from, and when, epoch ms. */
export interface AnswerOrigin {
  readonly baseUrl: string;
  readonly now: number;
}

/**
 * The error of an answer that is no success. What may pass is retryable, with `retryAt` where the exchange wants no call
 * before; an answer of 4xx that is not in the exchange's own form comes from something in front of it, and may pass too.
 *
 * @see https://github.com/binance/binance-spot-api-docs/blob/master/errors.md
 */
export function failureOf(
  { baseUrl, now }: AnswerOrigin,
  call: ExchangeCall,
  { status, headers, text }: Pick<HttpAnswer, 'status' | 'headers' | 'text'>,
): CryptopipeError {
  const retryAfter = retryAfterMs(headers.get('retry-after'), now);
  if (status === 429 || status === 418) {
    const ms = Math.max(retryAfter ?? 0, banMs(text, headers, now)) || limitPauseMs[status];
    return closedUntil(baseUrl, `answered ${status}`, now + Math.min(ms, longestPauseMs));
  }
  if (status === 403)
    return closedUntil(baseUrl, 'refused the request by its firewall (403)', now + firewallPauseMs);
  if (status === 451)
    return new UnreachableError(`The exchange at ${baseUrl} does not serve this location (451)`, {
      retryable: false,
      nextStep: `Use the market-data-only host: --exchange ${marketDataHost}, or CRYPTO_API_URL=${marketDataHost}`,
    });
  const { code, msg } = errorBody(text);
  if (unknownSymbolCodes.has(code))
    return unknownSymbol(baseUrl, String(call.params['symbol'] ?? call.params['symbols']));
  if (msg !== undefined && status < 500 && !passingCodes.has(code))
    return new RefusedError(`The exchange at ${baseUrl} refused ${call.path}: ${status}, ${code} ${msg}`, {
      retryable: false,
      nextStep: 'Check that CRYPTO_API_URL names an exchange that speaks Binance’s REST protocol, version 3.',
    });
  const said = text === '' ? '' : `: ${text.replace(/\s+/g, ' ').slice(0, 80)}`;
  return new UnreachableError(`The exchange at ${baseUrl} answered ${status} to ${call.path}${said}`, {
    nextStep: 'Try again later, or check CRYPTO_API_URL; what was acknowledged so far is kept.',
    ...(retryAfter === undefined ? {} : { retryAt: now + Math.min(retryAfter, longestPauseMs) }),
  });
}

/** `… IP banned until 1732722000000 …`, epoch ms by the exchange's clock; as ms from now, 0 where nothing is said. */
function banMs(text: string, headers: AnswerHeaders, now: number): number {
  const until = Number(/until (\d{13})\b/.exec(text)?.[1] ?? Number.NaN);
  const theirNow = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(until) ? 0 : Math.max(0, until - (Number.isNaN(theirNow) ? now : theirNow));
}

function errorBody(text: string): { readonly code?: number; readonly msg?: string } {
  try {
    const { code, msg } = JSON.parse(text) as { code?: unknown; msg?: unknown };
    return typeof code === 'number' && typeof msg === 'string' ? { code, msg } : {};
  } catch {
    return {};
  }
}

const closedUntil = (baseUrl: string, what: string, retryAt: number): UnreachableError =>
  new UnreachableError(
    `The exchange at ${baseUrl} ${what}: no call is made before ${new Date(retryAt).toISOString()}`,
    { retryAt, nextStep: 'Start again after that time; what was acknowledged so far is kept.' },
  );

/** The exchange answered 200 with something that its documentation does not have: a page in front of it, half an answer. */
export const unexpected = (baseUrl: string, path: string, what: string, cause?: unknown): UnreachableError =>
  new UnreachableError(`The exchange at ${baseUrl} answered ${path} with ${what}`, {
    nextStep: 'Check that CRYPTO_API_URL names an exchange, not a page in front of it.',
    cause,
  });

/** The exchange has no such symbol. */
const unknownSymbol = (baseUrl: string, symbol: string): UnknownSymbolError =>
  new UnknownSymbolError(`The exchange at ${baseUrl} lists no symbol ${symbol}`, symbol, {
    nextStep: 'Correct --symbols or CRYPTO_SYMBOL.',
  });
