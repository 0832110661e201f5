import { describe, expect, it } from 'vitest';
import { programWork, type ProgramCall } from '../../../src/commands/program-work.js';
import { UsageError } from '../../../src/core/errors.js';
import type { LocalFiles } from '../../../src/core/ports/local-files.js';
import { submissionRequest } from '../../../src/core/submission.js';
import { cluster } from '../../support/submission-world.js';

const local: LocalFiles = {
  load: (path) =>
    Promise.resolve({
      name: path.split('/').at(-1) ?? '',
      sha256: `hash-of-${path.split('/').at(-1) ?? ''}`,
      content: new Uint8Array(),
    }),
};

const aCall = (values: Partial<ProgramCall> = {}): ProgramCall => ({
  ...{ kind: 'jar', file: 'target/SparkPi_2.13.jar', mainClass: 'org.example.Pi', args: ['2'] },
  ...{ jars: [], pyFiles: [], conf: [], name: undefined, single: false, supervise: false, resources: {} },
  ...values,
});

const work = (values: Partial<ProgramCall> = {}) => programWork(local, aCall(values), ['streaming']);

const requestOf = async (values: Partial<ProgramCall>) =>
  submissionRequest({ work: await work(values), runId: 'RUN', hdfsRoot: 'hdfs://nn:8020' }, cluster);

describe('a JAR', () => {
  it('is stored under its hash, with its other files, and named after its file', async () => {
    const made = await work({ jars: ['lib/a.jar', 'https://host/b.jar'] });
    expect(made.job).toBe('sparkpi-2-13');
    expect(made.files.map(({ name }) => name)).toEqual(['SparkPi_2.13.jar', 'a.jar']);
    expect(made.program).toMatchObject({
      address: '/jobs/hash-of-SparkPi_2.13.jar/SparkPi_2.13.jar',
      jars: ['/jobs/hash-of-a.jar/a.jar', 'https://host/b.jar'],
    });
  });

  it('runs in a driver of its own, with every setting as a property', async () => {
    const request = await requestOf({
      ...{ file: 'hdfs:/apps/pi.jar', conf: ['spark.driver.extraJavaOptions=-Da=b', 'spark.x=1=2'] },
      ...{ resources: { coresMax: 1, driverMemory: '512m' }, supervise: true },
    });
    expect(request).toMatchObject({
      mainClass: 'org.example.Pi',
      appResource: 'hdfs://nn:8020/apps/pi.jar',
      appArgs: ['2'],
      sparkProperties: {
        'spark.app.name': 'pi-RUN',
        'spark.cores.max': '1',
        // Of two it would get none.
        'spark.executor.cores': '1',
        'spark.driver.memory': '512m',
        'spark.driver.supervise': 'true',
        'spark.driver.extraJavaOptions': '-Da=b',
        'spark.x': '1=2',
        'spark.jars': ['hdfs://nn:8020/apps/pi.jar', ...cluster.jars].join(','),
      },
    });
  });
});

describe('the book of runs', () => {
  it('says what a program was started with, as a shell takes it', async () => {
    const { parameters } = await work({ args: ['2', 'two words', "it's"] });
    expect(parameters).toEqual({
      ...{ file: 'target/SparkPi_2.13.jar', class: 'org.example.Pi' },
      arguments: String.raw`2 'two words' 'it'\''s'`,
    });
  });

  it('says nothing of what was not typed', async () => {
    const { parameters } = await work({ kind: 'python', file: 'a.py', mainClass: undefined, args: [] });
    expect(parameters).toEqual({ file: 'a.py' });
  });
});

describe('a Python program', () => {
  it('goes to the inner spark-submit, all but what the JVM is launched with', async () => {
    const request = await requestOf({
      ...{ kind: 'python', file: 's3a://bucket/etl.py', mainClass: undefined, pyFiles: ['lib.zip'] },
      ...{ jars: ['x.jar'], conf: ['spark.driver.extraJavaOptions=-Da=b', 'spark.x=1'] },
    });
    const { appArgs, sparkProperties } = request;
    expect(appArgs.slice(0, 8)).toEqual([
      ...['--master', cluster.masterUrl, '--name', 'etl-RUN'],
      ...['--jars', [...cluster.jars, 'hdfs://nn:8020/jobs/hash-of-x.jar/x.jar'].join(',')],
      ...['--py-files', 'hdfs://nn:8020/jobs/hash-of-lib.zip/lib.zip'],
    ]);
    // It knows nothing of a run id.
    expect(appArgs.slice(-2)).toEqual(['s3a://bucket/etl.py', '2']);
    expect(appArgs).toContain('spark.x=1');
    expect(appArgs.join(' ')).not.toContain('extraJavaOptions');
    expect(sparkProperties['spark.driver.extraJavaOptions']).toBe('-Da=b');
  });
});

describe('the check of our workers', () => {
  const checked = async (values: Partial<ProgramCall>): Promise<Record<string, string>> => {
    const { environmentVariables } = await requestOf({ mainClass: undefined, ...values });
    const entries = Object.entries(environmentVariables);
    return Object.fromEntries(entries.filter(([name]) => name.startsWith('CRYPTOPIPE_')));
  };

  it('has the hash of each stored file that the driver loads, the program first', async () => {
    const pyFiles = ['lib.zip', 'hdfs:/libs/other.zip', 'rules.py'];
    expect(await checked({ kind: 'python', file: 'etl.py', pyFiles })).toEqual({
      CRYPTOPIPE_PROGRAM_FILES: 'etl.py:hash-of-etl.py lib.zip:hash-of-lib.zip rules.py:hash-of-rules.py',
    });
  });

  it('ends a supervised driver for good', async () => {
    expect(await checked({ kind: 'python', file: 'etl.py', supervise: true })).toEqual({
      CRYPTOPIPE_PROGRAM_FILES: 'etl.py:hash-of-etl.py',
      CRYPTOPIPE_REFUSED_EXIT_CODE: '0',
    });
  });

  it('is not asked for a program at an address, nor for a JAR', async () => {
    expect(await checked({ kind: 'python', file: 's3a://bucket/etl.py', pyFiles: ['lib.zip'] })).toEqual({});
    expect(await checked({ mainClass: 'org.example.Pi' })).toEqual({});
  });

  it.each(['spark.pyspark.python=/x', 'spark.pyspark.driver.python=/x'])(
    'is not left out by %s',
    async (conf) => {
      await expect(work({ kind: 'python', file: 'a.py', conf: [conf] })).rejects.toThrow(
        'set PYSPARK_PYTHON',
      );
    },
  );
});

describe('what is refused', () => {
  it.each<[Partial<ProgramCall>, string]>([
    [{ file: 'pi.py' }, 'The program pi.py does not end with .jar'],
    [{ kind: 'python', file: 'pi.jar' }, 'The program pi.jar does not end with .py'],
    [{ jars: ['a.zip'] }, '--jar a.zip does not end with .jar'],
    [
      { kind: 'python', file: 'a.py', pyFiles: ['b.tar'] },
      '--py-file b.tar does not end with .py or .zip or .egg',
    ],
    [{ file: 'ftp://host/pi.jar' }, 'ftp://host/pi.jar is no address that a worker can fetch'],
    [{ file: 'https://host/a,b.jar' }, 'is no address that a worker can fetch'],
    [{ file: '2.jar' }, '2.jar is no name for a run'],
    [{ name: 'Pi' }, 'Pi is no name for a run'],
    [{ name: 'streaming' }, 'streaming is the name of a job of the catalogue'],
  ])('%j', async (values, message) => {
    await expect(work(values)).rejects.toThrow(message);
  });

  it('names every setting that cannot be set, with the reason', async () => {
    const failure: unknown = await work({
      conf: [
        ...[
          'spark.master=local',
          'spark.app.name=x',
          'spark.submit.deployMode=client',
          'spark.jars.packages=a:b:1',
        ],
        ...['spark.db.password=x', 'x=1', 'spark.y', 'spark.z=1', 'spark.z=2', 'spark.e='],
        'spark.driver.extraJavaOptions=-Xss4m -Dspark.pyspark.driver.python=python3',
      ],
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as UsageError).message.split('\n').slice(1)).toEqual([
      '  spark.master: cannot be set: the cluster is the one that SPARK_MASTER_URL names',
      '  spark.app.name: cannot be set: it ends with the run id, by which a lost run is found; use --name',
      '  spark.submit.deployMode: cannot be set: the driver always runs on a worker',
      '  spark.jars.packages: cannot be set: only the driver of a JAR would get them, its executors not; name each by --jar',
      expect.stringMatching(/^ {2}spark\.db\.password: looks like a secret: /) as string,
      '  x: is no Spark setting: they begin with spark.',
      '  spark.y: is not name=value',
      '  spark.z: is given twice',
      '  spark.e: has an empty value, or one with control characters',
      '  spark.driver.extraJavaOptions: cannot hold settings of Spark (-Dspark.…): give each as a setting of its own',
    ]);
  });

  it('lets a Python program have packages: its inner spark-submit serves them to the executors', async () => {
    const made = await work({ kind: 'python', file: 'a.py', conf: ['spark.jars.packages=a:b:1'] });
    expect(made.sparkSettings).toEqual({ 'spark.jars.packages': 'a:b:1' });
  });
});
