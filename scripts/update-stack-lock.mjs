// Writes src/stack/stack.lock.json anew: resolves the pinned versions below with Maven and PyPI's index, and records
// size and checksum of every file. Needs `mvn`; only who changes a version runs this, never a user.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';

const versions = { kafka: '4.3.1', hadoop: '3.5.0', spark: '4.2.0', scala: '2.13' };

/** A closure is resolved with everything it needs; the other sets are complete beside pyspark's own jars. */
const mavenSets = {
  kafka: {
    isClosure: true,
    artifacts: [
      `org.apache.kafka:kafka_${versions.scala}:${versions.kafka}`,
      'org.apache.logging.log4j:log4j-slf4j-impl:2.25.1',
    ],
  },
  hdfs: { artifacts: [`org.apache.hadoop:hadoop-client-minicluster:${versions.hadoop}`] },
  connectors: {
    artifacts: [
      `org.apache.spark:spark-sql-kafka-0-10_${versions.scala}:${versions.spark}`,
      `org.apache.spark:spark-token-provider-kafka-0-10_${versions.scala}:${versions.spark}`,
      'org.apache.kafka:kafka-clients:3.9.2',
      'org.apache.commons:commons-pool2:2.13.1',
      'org.postgresql:postgresql:42.7.14',
    ],
  },
};

const pythonSets = {
  // What pip needs to build pyspark's source archive; installed first, since builds are not isolated.
  build: { setuptools: '80.9.0', wheel: '0.45.1' },
  packages: {
    pyspark: versions.spark,
    py4j: '0.10.9.9',
    psycopg: '3.3.9',
    'psycopg-binary': '3.3.9',
    'typing-extensions': '4.16.0',
  },
};

const exclusions =
  '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';

function pomOf({ artifacts, isClosure = false }) {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>${isClosure ? '' : exclusions}</dependency>`;
  });
  return `<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>`;
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.jar'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function resolveMavenSet(set) {
  const folder = mkdtempSync(join(tmpdir(), 'stack-lock-'));
  try {
    writeFileSync(join(folder, 'pom.xml'), pomOf(set));
    const jars = join(folder, 'jars');
    execFileSync(
      'mvn',
      [
        ...[
          '-q',
          '-B',
          '-f',
          join(folder, 'pom.xml'),
          'dependency:copy-dependencies',
          '-DincludeScope=runtime',
        ],
        ...['-Dmdep.useRepositoryLayout=true', `-DoutputDirectory=${jars}`],
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    return filesBelow(jars)
      .map((file) => ({
        path: relative(jars, file).split(sep).join('/'),
        size: statSync(file).size,
        sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every file of one version on PyPI, so that the lock holds for each supported Python and processor. */
async function resolvePython(name, version) {
  const response = await fetch(`https://pypi.org/simple/${name}/`, { signal: AbortSignal.timeout(60_000) });
  if (!response.ok) throw new Error(`${name}: the index answered ${response.status}`);
  const file = name.replaceAll('-', '[-_.]');
  const pattern = new RegExp(
    `/${file}-${version.replaceAll('.', '\\.')}(?:-[^/#]*\\.whl|\\.tar\\.gz|\\.zip)#sha256=([0-9a-f]{64})`,
    'gi',
  );
  const hashes = [...new Set([...(await response.text()).matchAll(pattern)].map((match) => match[1]))].sort();
  if (hashes.length === 0) throw new Error(`${name} ${version}: no file found`);
  return { name, version, sha256: hashes };
}

const maven = Object.fromEntries(
  Object.entries(mavenSets).map(([name, set]) => [name, resolveMavenSet(set)]),
);
const python = {};
for (const [name, set] of Object.entries(pythonSets)) {
  python[name] = await Promise.all(Object.entries(set).map(([pkg, version]) => resolvePython(pkg, version)));
}
const target = new URL('../src/stack/stack.lock.json', import.meta.url);
writeFileSync(target, `${JSON.stringify({ versions, maven, python }, null, 2)}\n`);
for (const [name, files] of Object.entries(maven)) {
  console.log(
    `${name}: ${files.length} jars, ${(files.reduce((sum, file) => sum + file.size, 0) / 1e6).toFixed(1)} MB`,
  );
}
for (const { name, version, sha256 } of Object.values(python).flat())
  console.log(`${name} ${version}: ${sha256.length} files`);
