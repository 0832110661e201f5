import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describeChecks, root } from '../../support/compose/describe-checks.js';
import { variablesAreKnownToTheImage } from '../../support/compose/known-variables.js';
import * as rules from '../../support/compose/rules.js';
import { everyServiceSeesItsOwnKeysOnly, noSecretValue } from '../../support/compose/secrets.js';

const schema = JSON.parse(readFileSync(`${root}test/fixtures/compose/compose-spec.json`, 'utf8')) as object;
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema);

const fitsTheSchema: rules.Rule = (file) => {
  validate(file);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
};

describeChecks([
  {
    name: "fits Compose's own schema",
    rule: fitsTheSchema,
    broken: [
      { from: '    hostname: kafka', to: '    hostnam: kafka', says: '/services/kafka must NOT have' },
      {
        from: 'stop_grace_period: 60s',
        to: 'stop_grace_period: 60',
        says: '/services/kafka/stop_grace_period must be string',
      },
    ],
  },
  {
    name: "publishes the ports of the design's table, on loopback",
    rule: rules.portsAreThoseOfTheDesign,
    broken: [
      {
        from: "'127.0.0.1:${CRYPTOPIPE_GRAFANA_PORT",
        to: "'0.0.0.0:${CRYPTOPIPE_GRAFANA_PORT",
        says: '0.0.0.0:${CRYPTOPIPE_GRAFANA_PORT:-3000}:3000 is not 127.0.0.1',
      },
      {
        from: "'127.0.0.1:${PGPORT:-5432}:5432'",
        to: "'${PGPORT:-5432}:5432'",
        says: '${PGPORT:-5432} is not published',
      },
      {
        from: '${CRYPTOPIPE_AIRFLOW_PORT:-8083}:8080',
        to: '${CRYPTOPIPE_AIRFLOW_PORT:-8080}:8080',
        says: "${CRYPTOPIPE_AIRFLOW_PORT:-8080} is not in the design's table",
      },
      {
        from: '${CRYPTOPIPE_WEBHDFS_PORT:-9870}',
        to: '${CRYPTOPIPE_NAMENODE_PORT:-8020}',
        says: '${CRYPTOPIPE_NAMENODE_PORT:-8020} is published twice',
      },
    ],
  },
  {
    name: 'pins every image by a full tag',
    rule: rules.imagesHaveFullTags,
    broken: [
      { from: 'apache/kafka:4.3.1', to: 'apache/kafka:latest', says: 'kafka: apache/kafka:latest has no' },
      { from: 'apache/kafka:4.3.1', to: 'apache/kafka', says: 'kafka: apache/kafka has no' },
      { from: 'postgres:18.6-bookworm', to: 'postgres:18', says: 'keys: postgres:18 has no' },
    ],
  },
  {
    name: 'builds each image of ours once, and fetches none',
    rule: rules.ownImagesAreBuiltOnce,
    broken: [
      {
        from: '  pull_policy: never',
        to: '  pull_policy: missing',
        says: 'cryptopipe-spark:0.1.0 may be fetched',
      },
      {
        from: '    pull_policy: build\n',
        to: '',
        says: 'spark-master: cryptopipe-spark:0.1.0 may be fetched',
      },
      {
        from: '  spark-worker:\n    <<: *spark\n',
        to: '  spark-worker:\n    <<: *spark\n    build: {context: ., dockerfile: docker/spark/Dockerfile}\n',
        says: 'cryptopipe-spark:0.1.0 is built twice',
      },
      {
        from: '  init:\n    <<: [*one-shot, *cryptopipe]\n    pull_policy: build\n    build:',
        to: '  init:\n    <<: [*one-shot, *cryptopipe]\n    x-build:',
        says: 'cryptopipe-cli:0.1.0 is built by nobody',
      },
    ],
  },
  {
    name: 'has a health check for every service that does not end',
    rule: rules.everyServiceHasAHealthCheckOrEnds,
    broken: [
      {
        from: '    healthcheck:\n      <<: *health\n      test: [CMD-SHELL, curl -fsS http://localhost:3000',
        to: '    x-gone:\n      <<: *health\n      test: [CMD-SHELL, curl -fsS http://localhost:3000',
        says: 'grafana: has no health check',
      },
      {
        from: "  restart: 'no'",
        to: '  restart: unless-stopped',
        says: 'init: never ends, and somebody waits',
      },
      {
        from: '    profiles: [tools]\n',
        to: '',
        says: 'cryptopipe: ends, and nobody waits for its end',
      },
      {
        from: '    init: true\n    restart: unless-stopped',
        to: '    init: true\n    restart: always',
        says: 'kafka: does not come back after a fall',
      },
    ],
  },
  {
    name: 'checks health with what the image has',
    rule: rules.healthChecksUseWhatTheImageHas,
    broken: [
      {
        from: 'wget -qO- http://localhost:8080',
        to: 'curl http://localhost:8080',
        says: 'spark-master: its health check uses curl',
      },
      { from: 'pg_isready -h', to: 'pg_isready -h x; jq -h', says: 'postgres: its health check uses jq' },
      { from: '[CMD-SHELL, curl', to: '[CMD, curl', says: 'grafana: has no health check of the form' },
    ],
  },
  {
    name: 'has dependencies that can come true',
    rule: rules.dependenciesAreSound,
    broken: [
      {
        from: '    hostname: kafka\n',
        to: '    hostname: kafka\n    depends_on:\n      spark-worker:\n        condition: service_healthy\n',
        says: 'kafka: needs spark-worker, which needs it',
      },
      {
        from: '      hdfs-volumes:\n        condition',
        to: '      volumes:\n        condition',
        says: 'namenode: needs volumes, which is not there',
      },
      {
        from: '      kafka:\n        condition: service_healthy',
        to: '      kafka:\n        condition: service_completed_successfully',
        says: 'init: waits for service_completed_successfully of kafka, which is never so',
      },
    ],
  },
  {
    name: 'mounts what is declared and what is there',
    rule: rules.volumesAreDeclared(root),
    broken: [
      { from: '  kafka-data:\n', to: '', says: 'volume kafka-data is not declared' },
      { from: 'volumes:\n  keys:\n', to: 'volumes:\n  keys:\n  more:\n', says: 'volume more is not used' },
      {
        from: './docker/keys/make-keys.sh:',
        to: './docker/keys/make.sh:',
        says: './docker/keys/make.sh is not there',
      },
      { from: ':-./docker/keys/not-given}', to: ':-./docker/none}', says: './docker/none is not there' },
      { from: '      - spark-rest-key\n', to: '      - rest-key\n', says: 'secret rest-key is not declared' },
    ],
  },
  {
    name: 'fills in only settings of the program, each with a default',
    rule: rules.variablesHaveDefaultsAndAreSettings,
    broken: [
      { from: '${PGDATABASE:-crypto}', to: '${PGDATABASE}', says: '${PGDATABASE} has no default' },
      { from: '${PGDATABASE:-crypto}', to: '$PGDATABASE', says: '$PGDATABASE has no default' },
      { from: '${PGDATABASE:-crypto}', to: '${POSTGRES_DB:-crypto}', says: 'POSTGRES_DB is no setting' },
    ],
  },
  {
    name: 'sets only variables that the image knows',
    rule: variablesAreKnownToTheImage,
    broken: [
      {
        from: 'KAFKA_NODE_ID',
        to: 'KAFKA_NODEID',
        says: 'kafka: apache/kafka:4.3.1 does not know KAFKA_NODEID',
      },
      {
        from: 'CORE-SITE.XML_fs.defaultFS',
        to: 'CORE-SITE.XML_fs.default.FS',
        says: 'namenode: ghcr.io/apache/hadoop:3.5.0 does not know',
      },
      {
        from: 'SPARK_UI_URL:',
        to: 'SPARK_UI_ADDRESS:',
        says: 'producer: cryptopipe-cli:0.1.0 does not know SPARK_UI_ADDRESS',
      },
    ],
  },
  {
    name: 'holds no secret',
    rule: noSecretValue,
    broken: [
      {
        from: '${POSTGRES_PASSWORD:-crypto}',
        to: '${POSTGRES_PASSWORD:-Tr0ub4dor}',
        says: 'keys: POSTGRES_PASSWORD is a secret',
      },
      {
        from: "CONNECTION_CHECK_MAX_COUNT: '0'",
        to: 'AIRFLOW__CORE__FERNET_KEY: x',
        says: 'airflow: AIRFLOW__CORE__FERNET_KEY is a secret',
      },
      {
        from: 'GF_SECURITY_ADMIN_PASSWORD__FILE: /run/keys/grafana-admin-password',
        to: 'GF_SECURITY_ADMIN_PASSWORD: admin',
        says: 'grafana: GF_SECURITY_ADMIN_PASSWORD is a secret',
      },
    ],
  },
  {
    name: 'shows each service its own keys',
    rule: everyServiceSeesItsOwnKeysOnly,
    broken: [
      {
        from: '- keys-spark-worker:/run/keys:ro',
        to: '- keys-spark-master:/run/keys:ro',
        says: "spark-worker: sees keys-spark-master, which is another's",
      },
      {
        from: '- keys-grafana:/run/keys:ro',
        to: '- keys:/run/keys:ro',
        says: "grafana: sees keys, which is another's",
      },
      {
        from: '- keys-postgres:/run/keys:ro',
        to: '- keys-postgres:/run/keys',
        says: 'postgres: keys-postgres is not at /run/keys/ for reading',
      },
    ],
  },
  {
    name: 'keeps the core within 10 GiB',
    rule: rules.theCoreFitsInto10GiB,
    broken: [
      { from: 'memory: 6g', to: 'memory: 7g', says: 'the core may use 11744051200 bytes' },
      { from: 'memory: 832m', to: 'memory: lots', says: 'kafka: has no memory limit' },
    ],
  },
  {
    name: 'bounds every log',
    rule: rules.logsDoNotGrow,
    broken: [{ from: "max-file: '3'", to: "maxfile: '3'", says: 'keys: keeps its log without an end' }],
  },
]);
