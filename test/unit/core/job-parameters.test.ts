import { describe, expect, it } from 'vitest';
import { ConfigError, UsageError } from '../../../src/core/errors.js';
import { parseJdbcUrl } from '../../../src/core/connection-values.js';
import { findJob } from '../../../src/core/job.js';
import { resolveParameters } from '../../../src/core/job-parameters.js';
import { streaming } from '../../support/submission-world.js';

const problemsOf = (overrides: readonly string[]): string => {
  try {
    resolveParameters(streaming.parameters, overrides);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error('no problem was found');
};

describe('the parameters of a job', () => {
  it('have the defaults of the configuration, with whole numbers as numbers', () => {
    expect(resolveParameters(streaming.parameters, [])).toEqual({
      kafka_bootstrap_servers: 'localhost:9092',
      topic: 'crypto_raw',
      raw_path: 'hdfs://localhost:8020/datalake/raw/crypto',
      clean_path: 'hdfs://localhost:8020/datalake/clean/crypto',
      rejected_path: 'hdfs://localhost:8020/datalake/rejected/crypto',
      checkpoint_path: 'hdfs://localhost:8020/checkpoints/streaming',
      hot_interval_ms: 500,
      lake_interval_ms: 60_000,
      max_offsets_per_trigger: 200_000,
      mode: 'continuous',
    });
  });

  it('take what name=value says, equal signs in the value included', () => {
    const values = resolveParameters(streaming.parameters, [
      'mode=available-now',
      'hot_interval_ms=0',
      'raw_path=hdfs://nn:8020/a=b',
    ]);
    expect(values).toMatchObject({
      mode: 'available-now',
      hot_interval_ms: 0,
      raw_path: 'hdfs://nn:8020/a=b',
    });
  });

  it('are wrong in one message that names every problem and what was meant', () => {
    expect(
      problemsOf([
        'mod=continuous',
        'mode=continous',
        'hot_interval_ms=1e3',
        'raw_path=/datalake',
        'topic=two words',
        'checkpoint_path',
        'kafka_bootstrap_servers=localhost',
        'lake_interval_ms=1000',
        'lake_interval_ms=2000',
      ]).split('\n  '),
    ).toEqual([
      'The parameters are wrong:',
      'mod: no such parameter; did you mean mode?',
      'checkpoint_path: is not name=value',
      'lake_interval_ms: is given twice',
      String.raw`kafka_bootstrap_servers: does not match ^(?:([^\s,:\[\]]+|\[[0-9a-fA-F:.]+\]):\d+(,([^\s,:\[\]]+|\[[0-9a-fA-F:.]+\]):\d+)*)$`,
      'topic: does not match ^(?:[a-zA-Z0-9._-]{1,200})$',
      'raw_path: is not an address that begins with hdfs:// or file://',
      'hot_interval_ms: is not a whole number from 0 to 3600000',
      'mode: is not one of continuous, available-now; did you mean continuous?',
    ]);
  });

  it.each(['topic=a\nb', 'topic=', 'topic=a\u0000'])(
    'hold no control characters and are not empty: %j',
    (override) => {
      expect(problemsOf([override])).toContain('topic: is empty or holds control characters');
    },
  );
});

describe('parseJdbcUrl', () => {
  it.each([
    ['jdbc:postgresql://postgres:5432/crypto', { host: 'postgres', port: 5432, database: 'crypto' }],
    ['jdbc:postgresql://db/crypto?ssl=true', { host: 'db', port: 5432, database: 'crypto' }],
    ['jdbc:postgresql://[::1]:6000/c', { host: '::1', port: 6000, database: 'c' }],
  ])('reads %s', (url, expected) => {
    expect(parseJdbcUrl(url)).toEqual(expected);
  });

  it('refuses a list of hosts', () => {
    expect(() => parseJdbcUrl('jdbc:postgresql://a:1,b:2/crypto')).toThrow(ConfigError);
  });
});

describe('findJob', () => {
  it('names the job that was meant', () => {
    expect(() => findJob('steaming', [streaming])).toThrow(
      'There is no job steaming; did you mean streaming?',
    );
  });

  it.each([
    ['my/daily.sql', 'sql my/daily.sql'],
    ['etl.py', 'python etl.py'],
    ['pi.jar', 'jar pi.jar'],
  ])('says how the file %s is submitted', (name, words) => {
    const failure = ((): unknown => {
      try {
        return findJob(name, [streaming]);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({
      nextStep: `A file is submitted as \`${words}\`. Known jobs: streaming. See them with \`cryptopipe jobs\`.`,
    });
  });
});
