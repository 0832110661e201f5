import type kafkajs from 'kafkajs';
import type { Admin, Kafka } from 'kafkajs';
import { Outages } from '../core/outages.js';
import { retrying, type RetryOptions } from '../core/retry.js';
import { LateError, missingTopic, translated } from './kafka-errors.js';
import { seedOf, socketFactory } from './kafka-seeds.js';
import { systemClock } from './system-clock.js';

/** How the pipeline's topics are reached and called. */
export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly topic: string;
  readonly cursorTopic: string;
  /** The most that one try of a call may take, ms. */
  readonly timeoutMs?: number;
  /** For how long a call of the admin's protocol is tried again, ms. */
  readonly giveUpAfterMs?: number;
}

/** What the retry policy needs of the process. */
export type RetryTools = Pick<RetryOptions, 'clock' | 'outages'>;

/** Longer than kafkajs takes for its own tries of a request of 30 s. */
const defaultTimeoutMs = 120_000;
/** Kafka answers "coordinator is loading" for some seconds after its start; that is worth waiting for. */
const defaultGiveUpAfterMs = 20_000;

/** The library, loaded on first use: most commands need none. It is CommonJS, so its values are in the default export. */
export const loadKafkajs = async (): Promise<typeof kafkajs> => (await import('kafkajs')).default;

/**
 * A client that is silent: what goes wrong arrives as an error of ours, never as a line of the library's own log. Its own tries
 * are few: what fails for longer is tried again by the common policy.
 */
export async function kafkaClient(options: KafkaOptions): Promise<Kafka> {
  const kafkajs = await loadKafkajs();
  return new kafkajs.Kafka({
    brokers: options.brokers.map(seedOf),
    socketFactory,
    clientId: options.clientId,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, multiplier: 2, maxRetryTime: 1000, retries: 2 },
  });
}

/** A call that ends: its purpose, and what ends it early. */
interface KafkaCall {
  /** A verb phrase for the message: "take the trades". */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** Tries a call again while its failure may pass, for a bounded time. */
export const persistent = <T>(
  options: KafkaOptions,
  tools: RetryTools | undefined,
  call: KafkaCall,
  work: () => Promise<T>,
): Promise<T> =>
  retrying(() => bounded(options, call, work), {
    ...(tools ?? { clock: systemClock, outages: new Outages() }),
    system: 'kafka',
    giveUpAfterMs: options.giveUpAfterMs ?? defaultGiveUpAfterMs,
    signal: call.signal,
  });

/** Runs one try of a call with a deadline and translates the library's errors. */
export async function bounded<T>(
  options: KafkaOptions,
  { what, signal }: KafkaCall,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const ms = options.timeoutMs ?? defaultTimeoutMs;
  let end = (): void => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    const late = (): void =>
      reject(
        new LateError(
          `Kafka at ${options.brokers.join(',')} did not ${what}: no answer within ${ms / 1000} s`,
          { nextStep: '`cryptopipe stack logs kafka` shows its log, where it is the stack that runs here.' },
        ),
      );
    const onAbort = (): void => reject(signal?.reason as Error);
    const timer = setTimeout(late, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
    end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([work(), ended]);
  } catch (error) {
    throw translated(options, what, error);
  } finally {
    end();
  }
}

/** Asked before a topic is used: kafkajs itself would try a missing one again. */
export async function requireTopics(
  options: KafkaOptions,
  admin: Admin,
  names: readonly string[],
): Promise<void> {
  const found = await admin.listTopics();
  const missing = names.filter((name) => !found.includes(name));
  if (missing.length > 0) throw missingTopic(options, missing.join(' and '));
}

/** Closes a connection, but never waits for long: a server that is gone answers no goodbye. */
export async function closeQuietly(disconnect: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 2000);
  });
  await Promise.race([disconnect().catch(() => undefined), late]);
  clearTimeout(timer);
}
