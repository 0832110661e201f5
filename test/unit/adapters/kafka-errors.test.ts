import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { persistent } from '../../../src/adapters/kafka-client.js';
import { LostSequenceError, translated } from '../../../src/adapters/kafka-errors.js';
import { RefusedError, UnreachableError } from '../../../src/core/errors.js';
import { Outages } from '../../../src/core/outages.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const place = { brokers: ['kafka:9092'], topic: 'trades', cursorTopic: 'cursors', clientId: 'test' };

const protocol = (type: string, retriable: boolean): Error =>
  new kafkajs.KafkaJSProtocolError(
    Object.assign(new Error(`words for ${type}`), { type, code: 1, retriable }),
  );

const retriesExceeded = (cause: Error): Error =>
  new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 2, retryTime: 100 });

const of = (error: unknown): UnreachableError => {
  const found = translated(place, 'take the trades', error);
  if (!(found instanceof UnreachableError)) throw new Error(`not translated: ${String(found)}`);
  return found;
};

describe('an error of Kafka', () => {
  it('may pass where the protocol marks it as retriable, also below exceeded retries', () => {
    const loading = protocol('GROUP_LOAD_IN_PROGRESS', true);
    for (const error of [
      loading,
      retriesExceeded(loading),
      Object.assign(new kafkajs.KafkaJSNonRetriableError(loading), { cause: loading }),
    ])
      expect(of(error)).toMatchObject({
        message: 'Kafka at kafka:9092 did not take the trades: words for GROUP_LOAD_IN_PROGRESS',
        retryable: true,
        exitCode: 4,
      });
  });

  it('is a refusal with a next step where it is any other code, known or not', () => {
    for (const type of ['MESSAGE_TOO_LARGE', 'KAFKAJS_UNKNOWN_ERROR_CODE']) {
      const error = of(retriesExceeded(protocol(type, false)));
      expect(error).toBeInstanceOf(RefusedError);
      expect(error).toMatchObject({ retryable: false, exitCode: 4 });
      expect(error.message).toBe(
        `Kafka at kafka:9092 refused to take the trades: words for ${type} (${type})`,
      );
      expect(error.nextStep).toContain('stack logs kafka');
    }
  });

  it.each(['TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'SASL_AUTHENTICATION_FAILED'])(
    'says what to allow for %s, and does not pass',
    (type) => {
      expect(of(protocol(type, false))).toMatchObject({
        retryable: false,
        nextStep: expect.stringContaining('topics trades and cursors') as string,
      });
    },
  );

  it('names TLS and a login where the connection is closed', () => {
    // kafkajs's types lack the class.
    const closed = Object.assign(new kafkajs.KafkaJSConnectionError('Closed connection'), {
      name: 'KafkaJSConnectionClosedError',
    });
    const error = of(retriesExceeded(closed));
    expect(error.retryable).toBe(true);
    expect(error.message).toBe('Kafka at kafka:9092 closed the connection, so it did not take the trades');
    expect(error.nextStep).toMatch(/TLS or a login \(SASL\).*does not support these yet/);
  });

  it('tells to start Kafka where nothing answers, also after a wait for a lock', () => {
    const refused = new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED');
    expect(of(retriesExceeded(refused))).toMatchObject({
      retryable: true,
      nextStep: expect.stringContaining('stack up') as string,
    });
    const lockTimeout = Object.assign(new kafkajs.KafkaJSNonRetriableError('Timeout while acquiring lock'), {
      name: 'KafkaJSLockTimeout',
    });
    expect(of(lockTimeout).retryable).toBe(true);
  });

  it('asks for a new producer where the numbers of the requests do not fit', () => {
    const error = of(protocol('OUT_OF_ORDER_SEQUENCE_NUMBER', false));
    expect(error).toBeInstanceOf(LostSequenceError);
    expect(error.retryable).toBe(true);
  });

  it('names a topic that was deleted, and may pass', () => {
    expect(of(retriesExceeded(protocol('UNKNOWN_TOPIC_OR_PARTITION', true)))).toMatchObject({
      message: 'Kafka at kafka:9092 has no topic trades or cursors, or one was deleted',
      retryable: true,
      nextStep: expect.stringContaining('cryptopipe init') as string,
    });
  });

  it('is the first of several', () => {
    const several = new kafkajs.KafkaJSAggregateError('Topic creation errors', [
      protocol('POLICY_VIOLATION', false),
    ]);
    expect(of(several).message).toContain('words for POLICY_VIOLATION');
  });

  it('stays what it is where kafkajs has not made it', () => {
    const bug = new TypeError('x is not a function');
    expect(translated(place, 'answer', bug)).toBe(bug);
  });
});

describe('a call to Kafka', () => {
  /** Fails with each of these in turn, then answers; `tried` counts the calls. */
  const failing = (...errors: readonly Error[]) => {
    const left = [...errors];
    const calls = { tried: 0 };
    const work = (): Promise<string> => {
      calls.tried += 1;
      const error = left.shift();
      return error === undefined ? Promise.resolve('offsets') : Promise.reject(error);
    };
    return { calls, work };
  };
  const tools = { clock: new VirtualClock(), outages: new Outages() };

  it('is made again while Kafka says that it may', async () => {
    const loading = protocol('GROUP_COORDINATOR_NOT_AVAILABLE', true);
    const { calls, work } = failing(loading, loading);
    expect(await persistent(place, tools, { what: 'answer' }, work)).toBe('offsets');
    expect(calls.tried).toBe(3);
  });

  it('is not made again after a refusal, nor after its signal', async () => {
    const refused = failing(protocol('TOPIC_AUTHORIZATION_FAILED', false));
    await expect(persistent(place, tools, { what: 'answer' }, refused.work)).rejects.toThrow(RefusedError);
    expect(refused.calls.tried).toBe(1);
    const stop = new AbortController();
    const hanging = persistent(
      place,
      tools,
      { what: 'answer', signal: stop.signal },
      () => new Promise(() => undefined),
    );
    stop.abort(new Error('the deadline'));
    await expect(hanging).rejects.toThrow('the deadline');
  });
});
