import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountedPaths, requireReadableMounts } from '../../../src/stack/docker/mounted-files.js';
import { root } from '../../support/compose/describe-checks.js';

const paths = mountedPaths(readFileSync(join(root, 'docker-compose.yml'), 'utf8'));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mounted-files-'));
  for (const path of ['./docker-compose.yml', ...paths])
    cpSync(join(root, path), join(folder, path), { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('finds every mount of the checkout once', () => {
  expect(paths.toSorted()).toEqual([
    './airflow/dags',
    './docker/grafana/start-grafana.sh',
    './docker/hdfs/prepare-volumes.sh',
    './docker/hdfs/start-hdfs.sh',
    './docker/kafka',
    './docker/keys/make-keys.sh',
    './docker/postgres/airflow-database.sh',
    './grafana/dashboards',
    './grafana/provisioning/dashboards',
    './grafana/provisioning/datasources',
  ]);
});

describe('the mounted files of a checkout', () => {
  it('may be readable by all', async () => {
    await expect(requireReadableMounts(folder)).resolves.toBeUndefined();
  });

  it.each([
    ['a file', './docker/hdfs/start-hdfs.sh', 0o750],
    ['a file in a folder', './grafana/dashboards/market.json', 0o600],
    ['a folder that may not be entered', './airflow/dags', 0o744],
  ])('are refused with %s that containers cannot read', async (_what, path, mode) => {
    chmodSync(join(folder, path), mode);
    await expect(requireReadableMounts(folder)).rejects.toMatchObject({
      name: 'ConfigError',
      message: `Containers cannot read ${path} in ${folder}: only its owner may`,
      nextStep: expect.stringContaining(`cd ${folder} && chmod -R a+rX ./docker/keys/make-keys.sh`) as string,
    });
  });
});
