import { expect, it } from 'vitest';
import { workerAddress } from '../../../src/core/worker-address.js';

it.each([
  ['http://localhost:8081', 'http://localhost:8082', 'http://localhost:8081'],
  ['http://localhost:8081', 'http://spark-master:8080', 'http://spark-worker:8081'],
  ['http://127.0.0.1:8081', 'http://spark-master:8080', 'http://spark-worker:8081'],
  ['http://10.0.0.7:8081', 'http://spark-master:8080', 'http://10.0.0.7:8081'],
  ['http://10.0.0.7:8081', 'http://localhost:8082', 'http://10.0.0.7:8081'],
])('a worker at %s of the master at %s is asked at %s', (told, masterUrl, asked) => {
  expect(workerAddress({ told, host: 'spark-worker' }, masterUrl)).toBe(asked);
});
