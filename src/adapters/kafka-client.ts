import type kafkajs from 'kafkajs';
import type { Admin, Kafka } from 'kafkajs';
import pRetry from 'p-retry';
import { ConfigError, CryptopipeError, UnreachableError } from '../core/errors.js';
import { seedOf, socketFactory } from './kafka-seeds.js';

/** How the pipeline's topics are reached and called. */
export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly topic: string;
  readonly cursorTopic: string;
  /** The whole of one call with all its retries, ms. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 60_000;
/** A producer outlives a Kafka that is gone for so long: it starts again within it, and nothing is lost meanwhile. */
export const outageTimeoutMs = 180_000;

/** The library, loaded on first use: most commands need none. It is CommonJS, so its values are in the default export. */
export const loadKafkajs = async (): Promise<typeof kafkajs> => (await import('kafkajs')).default;

/** `start`: about ten seconds, then there is no Kafka; `outage`: one that was there may come back, `bounded` sets the end. */
type Patience = 'start' | 'outage';
const retriesOf: Readonly<Record<Patience, number>> = { start: 7, outage: 40 };

/** A client that is silent: what goes wrong arrives as an error of ours, never as a line of the library's own log. */
export async function kafkaClient(options: KafkaOptions, patience: Patience = 'start'): Promise<Kafka> {
  const kafkajs = await loadKafkajs();
  return new kafkajs.Kafka({
    brokers: options.brokers.map(seedOf),
    socketFactory,
    clientId: options.clientId,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 30_000,
    // Kafka answers "coordinator is loading" for some seconds after its start; that is worth waiting for.
    retry: { initialRetryTime: 300, multiplier: 1.5, maxRetryTime: 5000, retries: retriesOf[patience] },
  });
}

/**
 * Runs one call with a deadline and translates the library's errors.
 *
 * @param what a verb phrase for the message: "take the trades"
 */
export async function bounded<T>(options: KafkaOptions, what: string, call: () => Promise<T>): Promise<T> {
  const ms = options.timeoutMs ?? defaultTimeoutMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    throw translated(options, what, error);
  } finally {
    clearTimeout(timer);
  }
}

function translated(options: KafkaOptions, what: string, error: unknown): CryptopipeError {
  if (error instanceof CryptopipeError) return error;
  const { type, message } = rootOf(error);
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return missingTopic(options, `${options.topic} or ${options.cursorTopic}`);
  return new UnreachableError(`Kafka at ${options.brokers.join(',')} did not ${what}: ${message}`, {
    nextStep:
      'Start it with `cryptopipe stack up`, or set KAFKA_BOOTSTRAP_SERVERS; `cryptopipe stack logs kafka` shows its log.',
    cause: error,
  });
}

/** Asked before a topic is used: kafkajs itself would try a missing one again for a minute. */
export async function requireTopics(
  options: KafkaOptions,
  admin: Admin,
  names: readonly string[],
): Promise<void> {
  const found = await admin.listTopics();
  const missing = names.filter((name) => !found.includes(name));
  if (missing.length > 0) throw missingTopic(options, missing.join(' and '));
}

const missingTopic = (options: KafkaOptions, topic: string): ConfigError =>
  new ConfigError(`Kafka at ${options.brokers.join(',')} has no topic ${topic}`, {
    nextStep: 'Make the topics with `cryptopipe init`.',
  });

/**
 * Runs a call again, each quarter of a second for about ten seconds, while Kafka says that it may. kafkajs itself gives up an
 * offset request at the first "not the leader", which a broker answers for a moment after it has made a topic.
 */
export const whileRetriable = <T>(call: () => Promise<T>): Promise<T> =>
  pRetry(call, {
    retries: 40,
    minTimeout: 250,
    factor: 1,
    shouldRetry: ({ error }) => (error as { retriable?: boolean }).retriable === true,
  });

/** The error below kafkajs's "number of retries exceeded". */
function rootOf(error: unknown): { readonly type: string | undefined; readonly message: string } {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return {
    type: (inner as { type?: string } | undefined)?.type,
    message: inner instanceof Error ? inner.message : String(inner),
  };
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
