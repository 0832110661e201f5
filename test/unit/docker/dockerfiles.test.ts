import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/compose/describe-checks.js';
import { dockerfileProblems } from '../../support/compose/dockerfile.js';

const folders = readdirSync(join(root, 'docker'));
const files = folders
  .map((name) => `docker/${name}/Dockerfile`)
  .filter((path) => existsSync(join(root, path)));

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the Dockerfiles', () => {
  it('are those of the three images that are built here', () => {
    expect(files).toEqual(['airflow', 'cryptopipe', 'spark'].map((name) => `docker/${name}/Dockerfile`));
  });

  it.each(files)('%s starts from full tags, copies what is there, and ends as a user', (path) => {
    expect(dockerfileProblems(root, read(path), read('.dockerignore'))).toEqual([]);
  });

  it.each([
    [
      'airflow',
      'chmod -R a+rX /opt/cryptopipe/start-airflow.sh && ',
      '',
      'leaves /opt/cryptopipe/start-airflow.sh with the mode of the checkout',
    ],
    [
      'spark',
      '/opt/cryptopipe/spark-master.conf /opt/cryptopipe/hadoop\n',
      '/opt/cryptopipe/hadoop\n',
      'leaves /opt/cryptopipe/spark-master.conf with the mode of the checkout',
    ],
    ['spark', ' /opt/cryptopipe/hadoop\n', '\n', 'leaves /opt/cryptopipe/hadoop with the mode'],
    [
      'spark',
      'COPY docker/spark/start',
      'COPY --chmod=0755 docker/spark/start',
      'COPY --chmod=0755 needs BuildKit',
    ],
    ['cryptopipe', 'RUN docker', 'RUN --mount=type=cache,target=/root/.npm docker', 'needs BuildKit'],
  ])('that of %s would be wrong with %j as %j', (name, from, to, says) => {
    const text = read(`docker/${name}/Dockerfile`);
    expect(text).toContain(from);
    const broken = text.replace(from, () => to);
    expect(dockerfileProblems(root, broken, read('.dockerignore')).join('\n')).toContain(says);
  });

  it.each([
    ['FROM node:22.21.1-bookworm-slim AS build', 'FROM node:22 AS build', 'node:22 has no full version tag'],
    ['FROM node:22.21.1-bookworm-slim\n', 'FROM node\n', 'node has no full version tag'],
    ['USER 1000', 'USER root', 'ends as root'],
    ['USER 1000', 'USER 0', 'ends as root'],
    ['USER 1000\n', '', 'names no user'],
    ['--from=build /opt', '--from=make /opt', 'copies from make, which is no stage'],
    ['COPY . .', 'COPY test/ .', 'copies test/, which is not sent to the builder'],
    ['COPY . .', 'COPY sources/ .', 'copies sources/, which is not there'],
    [
      'docker/cryptopipe/build.sh /build',
      'docker/cryptopipe/make.sh /build',
      'runs docker/cryptopipe/make.sh, which is',
    ],
  ])('would be wrong with %j as %j', (from, to, says) => {
    const text = read('docker/cryptopipe/Dockerfile');
    expect(text).toContain(from);
    const problems = dockerfileProblems(
      root,
      text.replace(from, () => to),
      read('.dockerignore'),
    );
    expect(problems.join('\n')).toContain(says);
  });
});
