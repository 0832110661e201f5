import { setMaxListeners } from 'node:events';
import { CryptopipeError, UnreachableError, UsageError } from '../core/errors.js';
import type { Clock } from '../core/ports/clock.js';
import type { ExchangeWait } from '../core/ports/exchange.js';
import { backoffMs, retryAfterMs } from '../core/retry.js';
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
  readonly onWait: (wait: ExchangeWait) => void;
  /** One call; the exchange's own back end gives up after 10 s. */
  readonly timeoutMs: number;
  /** How long 5xx answers and network errors are tried again before the exchange counts as unreachable. */
  readonly retryForMs: number;
  /** The longest Retry-After that is waited for; a longer ban ends the command. */
  readonly longestWaitMs: number;
}

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
  const deadline = deadlineOf(options.timeoutMs, signal);
  let headers: Headers | undefined;
  try {
    const response = await fetch(urlOf(options.baseUrl, call), { signal: deadline.signal });
    headers = response.headers;
    const text = await response.text();
    return response.ok
      ? { value: parsed(options.baseUrl, call, text) }
      : judge(options, call, response, text);
  } catch (error) {
    if (error instanceof CryptopipeError) throw error;
    signal?.throwIfAborted();
    return { isLimit: false, error: noAnswer(options, error) };
  } finally {
    deadline.clear();
    options.budget.settle(call.weight, headers);
  }
}

function judge(options: HttpOptions, call: ExchangeCall, response: Response, text: string): Outcome {
  const { baseUrl, budget, clock } = options;
  const { status } = response;
  if (status === 429 || status === 418) {
    // Without a Retry-After the limit is that of the minute.
    const ms = retryAfterMs(response.headers.get('retry-after'), clock.now()) ?? 60_000;
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

function noAnswer(options: HttpOptions, error: unknown): UnreachableError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why =
    error instanceof Error && error.name === 'TimeoutError'
      ? `within ${options.timeoutMs / 1000} s`
      : `(${cause instanceof Error ? cause.message : String(cause)})`;
  return new UnreachableError(`The exchange at ${options.baseUrl} did not answer ${why}`, {
    nextStep: 'Check the network, or name another address by --exchange or CRYPTO_API_URL.',
    cause: error,
  });
}

const urlOf = (baseUrl: string, call: ExchangeCall): string => {
  const url = new URL(baseUrl + call.path);
  for (const [name, value] of Object.entries(call.params)) url.searchParams.set(name, String(value));
  return url.href;
};

/** A time-out joined with the caller's signal; `AbortSignal.any` on a signal that lives for days would keep every one. */
function deadlineOf(ms: number, signal?: AbortSignal): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => {
    controller.abort(new DOMException('the time is over', 'TimeoutError'));
  }, ms);
  if (signal !== undefined) {
    // One listener for each call under way, taken off again below: many at a time is no leak.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}
