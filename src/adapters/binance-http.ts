import { UnreachableError, UsageError, type CryptopipeError } from '../core/errors.js';
import type { Clock } from '../core/ports/clock.js';
import type { ExchangeWait } from '../core/ports/exchange.js';
import { backoffMs, retryAfterMs } from '../core/retry.js';
import type { AnswerHeaders, HttpAnswer } from '../http/http-call.js';
import type { HttpClient } from '../http/http-client.js';
import type { WeightBudget } from './binance-weight.js';

/** One GET of the exchange's REST interface. */
export interface ExchangeCall {
  readonly path: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly weight: number;
}

export interface HttpOptions {
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly budget: WeightBudget;
  readonly client: HttpClient;
  readonly onWait: (wait: ExchangeWait) => void;
  /** One call; the exchange's own back end gives up after 10 s. */
  readonly timeoutMs: number;
  /** How long 5xx answers and network errors are tried again before the exchange counts as unreachable. */
  readonly retryForMs: number;
  /** The longest Retry-After that is waited for; a longer ban ends the command. */
  readonly longestWaitMs: number;
}

/** An exchangeInfo of all symbols has some 20 MB, a page of 1,000 trades or klines 0.2. */
const maxBytes = 64 * 1024 * 1024;
const marketDataHost = 'https://data-api.binance.vision';

/**
 * GETs JSON from the exchange. Waits exactly as told on 429 and 418, tries 5xx and network errors again for a bounded time.
 *
 * @throws UnreachableError with the address, the reason and what to do; UsageError for a symbol that does not exist.
 * When the signal aborts, its own reason is thrown.
 */
export async function getJson(
  options: HttpOptions,
  call: ExchangeCall,
  signal?: AbortSignal,
): Promise<unknown> {
  const { clock, onWait } = options;
  const startedAt = clock.now();
  for (let attempt = 0; ; attempt++) {
    const outcome = await once(options, call, signal);
    if ('value' in outcome) return outcome.value;
    if (outcome.isLimit) continue;
    const ms = backoffMs(attempt, Math.random());
    if (clock.now() + ms - startedAt > options.retryForMs) throw outcome.error;
    onWait({ reason: outcome.error.message, ms });
    await clock.sleep(ms, signal);
  }
}

type Outcome =
  | { readonly value: unknown }
  | { readonly isLimit: true }
  | { readonly isLimit: false; readonly error: UnreachableError };

async function once(options: HttpOptions, call: ExchangeCall, signal?: AbortSignal): Promise<Outcome> {
  await options.budget.reserve(call.weight, signal);
  signal?.throwIfAborted();
  const answer = await answerTo(options, call, signal);
  if (answer instanceof UnreachableError) return { isLimit: false, error: answer };
  const isOk = answer.status >= 200 && answer.status <= 299;
  return isOk ? { value: parsed(options.baseUrl, call, answer.text) } : judge(options, call, answer);
}

/** Of any status; the error when there is none and a later try may get one. */
async function answerTo(
  { baseUrl, budget, client, timeoutMs }: HttpOptions,
  call: ExchangeCall,
  signal?: AbortSignal,
): Promise<HttpAnswer | UnreachableError> {
  let headers: AnswerHeaders | undefined;
  try {
    const answer = await client.call({
      system: 'The exchange',
      url: urlOf(baseUrl, call),
      nextStep: 'Check the network, or name another address by --exchange or CRYPTO_API_URL.',
      keepAlive: true,
      maxRedirects: 5,
      ...{ timeoutMs, maxBytes, signal },
    });
    headers = answer.headers;
    return answer;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UnreachableError && error.retryable) return error;
    throw error;
  } finally {
    budget.settle(call.weight, headers);
  }
}

function judge(options: HttpOptions, call: ExchangeCall, answer: HttpAnswer): Outcome {
  const { baseUrl, budget, clock } = options;
  const { headers, status, text } = answer;
  if (status === 429 || status === 418) {
    // Without a Retry-After the limit is that of the minute.
    const ms = retryAfterMs(headers.get('retry-after'), clock.now()) ?? 60_000;
    if (ms > options.longestWaitMs) throw banned(baseUrl, status, clock.now() + ms);
    budget.closeUntil(clock.now() + ms, `the exchange answered ${status}, Retry-After ${ms / 1000} s`);
    return { isLimit: true };
  }
  if (status >= 500)
    return {
      isLimit: false,
      error: new UnreachableError(`The exchange at ${baseUrl} answered ${status} to ${call.path}`, {
        nextStep: 'Try again later; what was acknowledged so far is kept.',
      }),
    };
  throw refused(baseUrl, call, status, text);
}

function refused(baseUrl: string, call: ExchangeCall, status: number, text: string): CryptopipeError {
  if (status === 451)
    return new UnreachableError(`The exchange at ${baseUrl} does not serve this location (451)`, {
      retryable: false,
      nextStep: `Use the market-data-only host: --exchange ${marketDataHost}, or CRYPTO_API_URL=${marketDataHost}`,
    });
  if (status === 403)
    return new UnreachableError(`The firewall of the exchange at ${baseUrl} refused the request (403)`, {
      retryable: false,
      nextStep: 'Wait some minutes before the next try, or use another address; --debug shows the request.',
      cause: new Error(`GET ${urlOf(baseUrl, call)}: ${text.slice(0, 200)}`),
    });
  const { code, msg } = errorBody(text);
  if (code === -1121) {
    return unknownSymbol(baseUrl, String(call.params['symbol'] ?? call.params['symbols']));
  }
  const said = msg === undefined ? text.slice(0, 200) : `${code ?? ''} ${msg}`;
  return new UnreachableError(`The exchange at ${baseUrl} refused ${call.path}: ${status}, ${said}`, {
    retryable: false,
    nextStep: 'Check that CRYPTO_API_URL names an exchange that speaks Binance’s REST protocol, version 3.',
  });
}

function errorBody(text: string): { readonly code?: number; readonly msg?: string } {
  try {
    const { code, msg } = JSON.parse(text) as { code?: unknown; msg?: unknown };
    return typeof code === 'number' && typeof msg === 'string' ? { code, msg } : {};
  } catch {
    return {};
  }
}

function parsed(baseUrl: string, call: ExchangeCall, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unexpected(baseUrl, call.path, `no JSON but ${JSON.stringify(text.slice(0, 80))}`, cause);
  }
}

/** The exchange answered 200 with something that its documentation does not know. */
export const unexpected = (baseUrl: string, path: string, what: string, cause?: unknown): UnreachableError =>
  new UnreachableError(`The exchange at ${baseUrl} answered ${path} with ${what}`, {
    retryable: false,
    nextStep: 'Check that CRYPTO_API_URL names an exchange, not a page in front of it.',
    cause,
  });

/** The exchange has no such symbol. */
export const unknownSymbol = (baseUrl: string, symbol: string): UsageError =>
  new UsageError(`The exchange at ${baseUrl} knows no symbol ${symbol}`, {
    nextStep: 'Correct --symbols or CRYPTO_SYMBOL.',
  });

const banned = (baseUrl: string, status: number, until: number): UnreachableError =>
  new UnreachableError(
    `The exchange at ${baseUrl} answered ${status}: it takes no calls from here before ${new Date(until).toISOString()}`,
    { nextStep: 'Start again after that time; what was acknowledged so far is kept.' },
  );

const urlOf = (baseUrl: string, call: ExchangeCall): string => {
  const url = new URL(baseUrl + call.path);
  for (const [name, value] of Object.entries(call.params)) url.searchParams.set(name, String(value));
  return url.href;
};
