import { UnreachableError } from '../core/errors.js';
import type { Outages } from '../core/outages.js';
import type { Clock } from '../core/ports/clock.js';
import { retrying } from '../core/retry.js';
import type { AnswerHeaders, HttpAnswer } from '../http/http-call.js';
import type { HttpClient } from '../http/http-client.js';
import { failureOf, unexpected, type ExchangeCall } from './binance-errors.js';
import type { WeightBudget } from './binance-weight.js';

export interface HttpOptions {
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly budget: WeightBudget;
  readonly client: HttpClient;
  readonly outages: Outages;
  /** One call; the exchange's own back end gives up after 10 s. */
  readonly timeoutMs: number;
  /** How long what may pass is tried again; Infinity in background programs. */
  readonly giveUpAfterMs: number;
}

/** An exchangeInfo of all symbols has some 20 MB, a page of 1,000 trades or klines 0.2. */
const maxBytes = 64 * 1024 * 1024;

/**
 * GETs JSON from the exchange and reads it. Every failure that may pass is tried again by the common policy: no answer, a 5xx,
 * a limit or a ban until its stated time, and an answer that is not the protocol's.
 *
 * @param read throws where the answer is not of the documented form.
 * @throws UnreachableError with the address, the reason and what to do; UnknownSymbolError for a symbol that does not exist.
 * When the signal aborts, its own reason is thrown.
 */
export function getJson<T>(
  options: HttpOptions,
  call: ExchangeCall,
  read: (answer: unknown) => T,
  signal?: AbortSignal,
): Promise<T> {
  const { budget, clock, giveUpAfterMs, outages } = options;
  const { symbol } = call.params;
  return retrying(() => once(options, call, read, signal), {
    ...{ system: 'exchange', clock, outages, giveUpAfterMs, signal },
    part: symbol === undefined ? undefined : String(symbol),
    prepare: () => budget.reserve(call.weight, signal),
  });
}

async function once<T>(
  options: HttpOptions,
  call: ExchangeCall,
  read: (answer: unknown) => T,
  signal?: AbortSignal,
): Promise<T> {
  const { baseUrl, budget, clock } = options;
  const { status, headers, text } = await answerTo(options, call, signal);
  if (status >= 200 && status <= 299) return read(parsed(baseUrl, call, text));
  const failure = failureOf({ baseUrl, now: clock.now() }, call, { status, headers, text });
  if (failure instanceof UnreachableError && failure.retryAt !== undefined) budget.close(failure);
  throw failure;
}

/** An answer of any status. */
async function answerTo(
  { baseUrl, budget, client, timeoutMs }: HttpOptions,
  call: ExchangeCall,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  let headers: AnswerHeaders | undefined;
  try {
    signal?.throwIfAborted();
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
    // A redirect to nowhere is a page in front of the exchange, too.
    if (error instanceof UnreachableError && !error.retryable)
      throw new UnreachableError(error.message, { nextStep: error.nextStep ?? '', cause: error });
    throw error;
  } finally {
    budget.settle(call.weight, headers);
  }
}

function parsed(baseUrl: string, call: ExchangeCall, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unexpected(baseUrl, call.path, `no JSON but ${JSON.stringify(text.slice(0, 80))}`, cause);
  }
}

const urlOf = (baseUrl: string, call: ExchangeCall): string => {
  const url = new URL(baseUrl + call.path);
  for (const [name, value] of Object.entries(call.params)) url.searchParams.set(name, String(value));
  return url.href;
};
