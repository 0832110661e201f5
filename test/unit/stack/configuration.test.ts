import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config.js';
import { basePorts } from '../../../src/core/settings.js';
import { stackEnvironment } from '../../../src/commands/stack-environment.js';
import { coreSite, hadoopXml, hdfsSite } from '../../../src/stack/hdfs.js';
import { kafkaProperties } from '../../../src/stack/kafka.js';
import { passFileText } from '../../../src/stack/postgres.js';
import { serverEnvironment, type StackSettings } from '../../../src/stack/settings.js';

const settings: StackSettings = {
  ports: basePorts,
  portOffset: 0,
  dataDir: '/data',
  cacheDir: '/cache',
  mavenUrl: 'https://repo.example',
  postgresBin: undefined,
  python: 'python3',
  environment: { PATH: '/bin', SPARK_HOME: '/elsewhere', POSTGRES_PASSWORD: 'hidden', PIP_CERT: '/x' },
  postgres: { user: 'crypto', password: 'crypto', database: 'crypto' },
  hdfsUser: 'me',
  sparkRest: { key: undefined, token: () => undefined },
  program: '/main.js',
};

/** Every host:port of a text. */
const addresses = (text: string): string[] => text.match(/[\w.]+:\d{4,5}/g) ?? [];

describe('the servers', () => {
  it('listen on loopback only', () => {
    const texts = [
      kafkaProperties(settings, '/data/kafka'),
      hadoopXml({ ...coreSite(settings), ...hdfsSite(settings) }),
    ];
    const hosts = addresses(texts.join('\n')).map((address) => address.split(':')[0]);
    expect(hosts.length).toBeGreaterThan(5);
    expect([...new Set(hosts)].sort()).toEqual(['127.0.0.1', 'localhost']);
  });

  it('get no setting and no secret of the caller that could change them', () => {
    expect(serverEnvironment(settings, { OWN: '1' })).toEqual({ PATH: '/bin', OWN: '1' });
  });

  it('have their paths escaped in XML', () => {
    expect(hadoopXml({ a: '/x & y/<z>' })).toContain('<value>/x &amp; y/&lt;z&gt;</value>');
  });
});

describe('the password file', () => {
  it('has colons and backslashes escaped', () => {
    const postgres = { user: 'crypto', password: 'a:b\\c', database: 'crypto' };
    expect(passFileText({ ...settings, postgres })).toBe(
      'localhost:5432:*:crypto:a\\:b\\\\c\n127.0.0.1:5432:*:crypto:a\\:b\\\\c\n',
    );
  });
});

describe('stack env', () => {
  it('gives back the configuration that it was made from', () => {
    const config = loadConfig({ portOffset: '10000', dataDir: '/data/here' }, {}, '/nonexistent/.env');
    const again = loadConfig({}, stackEnvironment(config), '/nonexistent/.env');
    expect(again).toEqual({ ...config, environment: again.environment });
  });

  it('prints no password', () => {
    const config = loadConfig({}, { POSTGRES_PASSWORD: 'very-secret' }, '/nonexistent/.env');
    expect(JSON.stringify(stackEnvironment(config))).not.toContain('very-secret');
  });
});
