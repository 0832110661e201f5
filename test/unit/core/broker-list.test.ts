import { expect, it } from 'vitest';
import { readBrokerList } from '../../../src/core/broker-list.js';

it.each([
  ['a:9092', ['a:9092']],
  ['a:9092, b:9093 ,\tc:9094', ['a:9092', 'b:9093', 'c:9094']],
  ['a:9092,', ['a:9092']],
  ['kafka', ['kafka:9092']],
  ['[::1]:9092,[fe80::1]', ['[::1]:9092', '[fe80::1]:9092']],
  ['PLAINTEXT://a:9092,plaintext://[::1]', ['a:9092', '[::1]:9092']],
  ['10.0.0.7:29092,my-kafka_0.svc', ['10.0.0.7:29092', 'my-kafka_0.svc:9092']],
  ['a:9092,a:9092', ['a:9092']],
])('the list %j is %j', (text, brokers) => {
  expect(readBrokerList(text)).toEqual({ brokers });
});

it.each([
  [' , ', 'names no broker'],
  ['SASL_SSL://h:9092', 'SASL_SSL:// needs TLS or a login, which cryptopipe cannot use yet'],
  ['a:9092,ssl://h:9093', 'SSL:// needs TLS'],
  ['SASL_PLAINTEXT://h:9092', 'SASL_PLAINTEXT:// needs TLS or a login'],
  ['http://h:9092', 'HTTP:// is no protocol of Kafka'],
  ['::1', '"::1" is not host:port; an IPv6 address stands in brackets'],
  ['a:0', '"a:0" is not host:port'],
  ['a:70000', '"a:70000" is not host:port'],
  ['a:x', '"a:x" is not host:port'],
  ['a b:9092', '"a b:9092" is not host:port'],
])('the list %j is refused: %s', (text, problem) => {
  expect(readBrokerList(text)).toEqual({ problem: expect.stringContaining(problem) as string });
});

it('never shows a password', () => {
  const read = readBrokerList('me:canary@h:9092');
  expect(read).toEqual({ problem: 'holds a user or a password; a broker is host:port' });
});
