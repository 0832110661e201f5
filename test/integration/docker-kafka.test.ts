import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findJava } from '../../scripts/prerequisites.mjs';
import { loadConfig } from '../../src/config.js';
import { stackLock } from '../../src/stack/install/lock.js';
import { fetchJars, jarPath } from '../../src/stack/install/maven.js';
import { root } from '../support/compose/describe-checks.js';
import { interpolated, parseCompose } from '../support/compose/model.js';

// The class that Kafka's image configures the broker by, of the same version, with the environment and the folder of
// docker-compose.yml: https://github.com/apache/kafka/blob/4.3.1/core/src/main/scala/kafka/docker/KafkaDockerWrapper.scala

interface LogConfiguration {
  readonly Configuration: { readonly Appenders: { readonly Console: { readonly name: string } } };
}

const { native } = loadConfig({}, process.env, '/nonexistent/.env');
const jars = stackLock().maven.kafka;
const folder = mkdtempSync(join(tmpdir(), 'docker-kafka-'));
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  await fetchJars(jars, { ...native, say: () => undefined, signal: new AbortController().signal });
  for (const name of ['default', 'mounted', 'final']) mkdirSync(at(name));
  const ours = readFileSync(join(root, 'docker/kafka/log4j2.yaml'), 'utf8');
  writeFileSync(at('default', 'server.properties'), '');
  for (const name of ['log4j2.yaml', 'tools-log4j2.yaml'])
    writeFileSync(at('default', name), ours.replaceAll('STDOUT', 'OF_THE_IMAGE'));
  copyFileSync(join(root, 'docker/kafka/log4j2.yaml'), at('mounted', 'log4j2.yaml'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('takes the broker from the environment and the log from the mounted folder', async () => {
  const { services } = interpolated(parseCompose(readFileSync(join(root, 'docker-compose.yml'), 'utf8')));
  const environment = services['kafka']?.environment ?? {};
  const java = findJava(process.env);
  if ('problem' in java) throw new Error(java.problem);
  await execa(
    java.file,
    [
      ...['-cp', jars.map((jar) => jarPath(native.cacheDir, jar)).join(':')],
      ...['kafka.docker.KafkaDockerWrapper', 'setup', '--default-configs-dir', at('default')],
      ...['--mounted-configs-dir', at('mounted'), '--final-configs-dir', at('final')],
    ],
    {
      env: {
        ...environment,
        ...{ KAFKA_LOG_DIRS: at('data'), CLUSTER_ID: '5L6g3nShT-eMCtK--X86sw' },
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      },
    },
  );
  const properties = readFileSync(at('final', 'server.properties'), 'utf8').split('\n');
  expect(properties).toContain('offsets.topic.replication.factor=1');
  expect(properties).toContain('listeners=INTERNAL://:9092,EXTERNAL://:19092,CONTROLLER://:9093');
  expect(properties.filter((line) => /heap|extra|jvm/i.test(line))).toEqual([]);
  const appenderOf = (name: string): string =>
    (parse(readFileSync(at('final', name), 'utf8')) as LogConfiguration).Configuration.Appenders.Console.name;
  expect(appenderOf('log4j2.yaml')).toBe('STDOUT');
  expect(appenderOf('tools-log4j2.yaml')).toBe('OF_THE_IMAGE');
});
