import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/compose/describe-checks.js';
import { interpolated, parseCompose } from '../support/compose/model.js';
import { startStack, type TestStack } from '../support/stack.js';

// The health checks of docker-compose.yml, asked of the same servers without Docker: those that need no more than HTTP.

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack({
    name: 'docker-health',
    portOffset: 11_300,
    only: ['spark-worker', 'secondary-name-node', 'data-node'],
  });
});
afterAll(() => stack.stop());

const { services } = interpolated(parseCompose(readFileSync(join(root, 'docker-compose.yml'), 'utf8')));

/** With this stack's addresses in the place of those inside of the containers. */
function checkOf(service: string): string {
  const { ports } = stack.config.native;
  const here: readonly [string, string][] = [
    ['localhost:9870', `localhost:${ports.nameNodeHttp}`],
    ['namenode:9870', `localhost:${ports.nameNodeHttp}`],
    ['secondarynamenode:9868', `localhost:${ports.secondaryNameNodeHttp}`],
    ['localhost:9864', `localhost:${ports.dataNodeHttp}`],
    ['localhost:8080', `localhost:${ports.sparkUi}`],
    ['spark-master:8080', `localhost:${ports.sparkUi}`],
    ['localhost:8081', `localhost:${ports.workerUi}`],
    ['spark://spark-master:7077', `spark://127.0.0.1:${ports.sparkRpc}`],
  ];
  const line = services[service]?.healthcheck?.test[1] ?? '';
  return here.reduce((text, [from, to]) => text.replaceAll(from, to), line);
}

const isHealthy = async (check: string): Promise<boolean> =>
  !(await execa('sh', ['-c', check], { reject: false, timeout: 20_000 })).failed;

describe.each(['namenode', 'secondarynamenode', 'datanode', 'spark-master', 'spark-worker'])(
  'the health check of %s',
  (service) => {
    it('is content with a server that is well', async () => {
      expect(await isHealthy(checkOf(service))).toBe(true);
    });

    it('is not with one that says something else', async () => {
      const check = checkOf(service).replace(
        /(active|LastCheckpointTime|ClusterId|ALIVE|masterurl)"/,
        'else"',
      );
      expect(check).not.toBe(checkOf(service));
      expect(await isHealthy(check)).toBe(false);
    });
  },
);

it('of the datanode waits for the end of safe mode', async () => {
  const [, , ofSafeMode = ''] = checkOf('datanode').split(' && ');
  expect(ofSafeMode).toContain('Safemode');
  expect(await isHealthy(ofSafeMode.replace('"Safemode" : ""', '"Safemode" : "Safe mode is ON'))).toBe(false);
});
