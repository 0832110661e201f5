import { ConfigError, CryptopipeError, RefusedError, UnreachableError } from '../core/errors.js';

/** Where Kafka was called, and for which topics. */
interface KafkaPlace {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly cursorTopic: string;
}

/** The producer is to be made anew: Kafka and it differ about which of its requests are written. */
export class LostSequenceError extends UnreachableError {}

/** One try took too long; what it had begun may still go on. */
export class LateError extends UnreachableError {}

const lostSequence = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/**
 * An error of kafkajs as one of ours, by its class and by what Kafka's protocol says of its code: an unknown code is a refusal.
 * What is no error of kafkajs comes back as it is.
 *
 * @param what a verb phrase for the message: "take the trades"
 */
export function translated(place: KafkaPlace, what: string, error: unknown): unknown {
  if (error instanceof CryptopipeError) return error;
  const root = rootOf(error);
  if (!isOfKafkajs(root)) return error;
  const { type } = root;
  if (type === undefined) return withoutAnswer(place, what, root);
  if (lostSequence.has(type))
    return new LostSequenceError(refusal(place, what, root), { nextStep: seeLog, cause: root });
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return topicGone(place, root);
  if (type.endsWith('AUTHORIZATION_FAILED') || type.includes('SASL') || type === 'SECURITY_DISABLED')
    return notAllowed(place, what, root);
  if (root.retriable)
    return new UnreachableError(`Kafka at ${at(place)} did not ${what}: ${root.message}`, {
      nextStep: seeLog,
      cause: root,
    });
  return new RefusedError(refusal(place, what, root), { retryable: false, nextStep: seeLog, cause: root });
}

export const missingTopic = (place: KafkaPlace, topic: string): ConfigError =>
  new ConfigError(`Kafka at ${at(place)} has no topic ${topic}`, {
    nextStep: 'Make the topics with `cryptopipe init`.',
  });

interface KafkajsError extends Error {
  readonly retriable: boolean;
  /** The name of the protocol's error code; undefined where no answer came. */
  readonly type?: string | undefined;
}

const isOfKafkajs = (error: unknown): error is KafkajsError =>
  error instanceof Error && error.name.startsWith('KafkaJS') && 'retriable' in error;

/** The error below kafkajs's "number of retries exceeded", or the first of several. */
function rootOf(error: unknown): unknown {
  const { errors, cause } = error as { readonly errors?: readonly unknown[]; readonly cause?: unknown };
  if (Array.isArray(errors) && errors[0] instanceof Error) return rootOf(errors[0]);
  return isOfKafkajs(error) && isOfKafkajs(cause) ? rootOf(cause) : error;
}

const at = ({ brokers }: KafkaPlace): string => brokers.join(',');
const seeLog = '`cryptopipe stack logs kafka` shows its log, where it is the stack that runs here.';

const refusal = (place: KafkaPlace, what: string, { message, type }: KafkajsError): string =>
  `Kafka at ${at(place)} refused to ${what}: ${message} (${type ?? 'no code'})`;

/** A listener that requires TLS or a login closes a connection that begins with neither. */
function withoutAnswer(place: KafkaPlace, what: string, cause: KafkajsError): UnreachableError {
  if (cause.name === 'KafkaJSConnectionClosedError')
    return new UnreachableError(`Kafka at ${at(place)} closed the connection, so it did not ${what}`, {
      nextStep:
        'If Kafka has just been started or stopped, wait and try again. A listener that requires TLS or a login (SASL) closes it ' +
        'too: cryptopipe does not support these yet, so name a PLAINTEXT listener in KAFKA_BOOTSTRAP_SERVERS.',
      cause,
    });
  return new UnreachableError(`Kafka at ${at(place)} did not ${what}: ${cause.message}`, {
    nextStep:
      'Start it with `cryptopipe stack up`, or set KAFKA_BOOTSTRAP_SERVERS; `cryptopipe stack logs kafka` shows its log.',
    cause,
  });
}

const topicGone = (place: KafkaPlace, cause: KafkajsError): UnreachableError =>
  new UnreachableError(
    `Kafka at ${at(place)} has no topic ${place.topic} or ${place.cursorTopic}, or one was deleted`,
    { nextStep: 'Make the topics with `cryptopipe init`; a producer that runs continues then.', cause },
  );

const notAllowed = (place: KafkaPlace, what: string, cause: KafkajsError): RefusedError =>
  new RefusedError(refusal(place, what, cause), {
    retryable: false,
    nextStep:
      `Allow this client to read, write, describe and alter the topics ${place.topic} and ${place.cursorTopic} and to use ` +
      'groups that begin with `cryptopipe-`. A login (SASL) is not supported yet.',
    cause,
  });
