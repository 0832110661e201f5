import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { whileRetriable } from '../../../src/adapters/kafka-client.js';

const failure = (message: string, retriable: boolean): Error =>
  Object.assign(new kafkajs.KafkaJSProtocolError(new Error(message)), { retriable });

/** Fails with each of these in turn, then answers; `tried` counts the calls. */
function failing(...errors: readonly Error[]) {
  const left = [...errors];
  const calls = { tried: 0 };
  const call = (): Promise<string> => {
    calls.tried += 1;
    const error = left.shift();
    return error === undefined ? Promise.resolve('offsets') : Promise.reject(error);
  };
  return { calls, call };
}

describe('a call to Kafka', () => {
  it('is made again while Kafka says that it may', async () => {
    const notLeader = failure('This server is not the leader for that topic-partition', true);
    const { calls, call } = failing(notLeader, notLeader);
    expect(await whileRetriable(call)).toBe('offsets');
    expect(calls.tried).toBe(3);
  });

  it('is not made again after any other error', async () => {
    const { calls, call } = failing(failure('Not authorized to access topic', false));
    await expect(whileRetriable(call)).rejects.toThrow('Not authorized to access topic');
    expect(calls.tried).toBe(1);
  });
});
