import { describeChecks } from '../../support/compose/describe-checks.js';
import * as running from '../../support/compose/running.js';

describeChecks([
  {
    name: 'uses images that run on arm64 too',
    rule: running.imagesRunOnArm64,
    broken: [
      {
        from: 'image: ghcr.io/apache/hadoop',
        to: 'image: apache/hadoop',
        says: 'namenode: apache/hadoop is not known to be built for arm64',
      },
    ],
  },
  {
    name: 'lets every server receive its stop signal',
    rule: running.stopSignalsReachTheServers,
    broken: [
      {
        from: '    hostname: kafka\n    init: true\n',
        to: '    hostname: kafka\n',
        says: 'kafka: has no init',
      },
      {
        from: '  entrypoint: [/bin/bash, /opt/cryptopipe/start-hdfs.sh]\n',
        to: '',
        says: 'namenode: does not start by start-hdfs.sh',
      },
      { from: "DUMB_INIT_SETSID: '0'", to: "DUMB_INIT_SETSID: '1'", says: 'airflow: each of its processes' },
    ],
  },
  {
    name: 'lets supervised drivers survive an orderly stop and a reboot',
    rule: running.driversSurviveTheWorker,
    broken: [
      {
        from: '    stop_signal: SIGKILL\n',
        to: '',
        says: 'an orderly stop of spark-worker ends supervised drivers for good',
      },
      {
        from: "      - --webui-port\n      - '${CRYPTOPIPE_WORKER_UI_PORT:-8081}'\n",
        to: "      - --port\n      - '7078'\n",
        says: 'spark-worker has a fixed port',
      },
    ],
  },
  {
    name: 'restarts no job when a setting of the exchange changes',
    rule: running.oneShotsReadNothingOfTheExchange,
    broken: [
      {
        from: '    environment:\n      <<: *data-environment',
        to: '    environment:\n      <<: *cryptopipe-environment',
        says: 'init: reads CRYPTO_API_URL',
      },
    ],
  },
  {
    name: "ensures Airflow's database at each start",
    rule: running.airflowsDatabaseIsEnsuredAtEachStart,
    broken: [
      {
        from: ':/opt/cryptopipe/airflow-database.sh:ro',
        to: ':/docker-entrypoint-initdb.d/airflow-database.sh:ro',
        says: 'airflow-database: runs /docker-entrypoint-initdb.d/airflow-database.sh at the very first start only',
      },
      {
        from: '      airflow-database:\n        condition: service_completed_successfully\n',
        to: '',
        says: 'airflow: does not wait for airflow-database',
      },
    ],
  },
  {
    name: 'leaves no anonymous volume',
    rule: running.noAnonymousVolumes,
    broken: [
      {
        from: '    tmpfs:\n      - /var/lib/postgresql\n',
        to: '',
        says: 'keys: leaves an anonymous volume of /var/lib/postgresql',
      },
      {
        from: '      - ./docker/kafka:/mnt/shared/config:ro\n',
        to: '',
        says: 'kafka: leaves an anonymous volume of /mnt/shared/config',
      },
      {
        from: '      - /etc/kafka/secrets',
        to: '      - /etc/kafka',
        says: 'kafka: leaves an anonymous volume of /etc/kafka/secrets',
      },
    ],
  },
  {
    name: 'bounds Grafana and lets nobody in without a login',
    rule: running.grafanaIsBoundedAndAsksForALogin,
    broken: [
      {
        from: "ANONYMOUS_ENABLED: 'false'",
        to: "ANONYMOUS_ENABLED: 'true'",
        says: 'grafana: lets anybody in',
      },
      { from: "ENABLE_GZIP: 'false'", to: "ENABLE_GZIP: 'true'", says: 'grafana: compresses its answers' },
      { from: 'grafana:13.1.6', to: 'grafana:13.1.4', says: 'grafana/grafana:13.1.4 is not 13.1.5 or newer' },
      { from: 'GOMEMLIMIT: 640MiB', to: 'GOMEMLIMIT: 768MiB', says: 'grafana: has no room' },
      { from: 'memory: 768m', to: 'memory: 400m', says: 'grafana: has no room' },
      {
        from: '- ./grafana/provisioning/datasources:/etc/grafana/provisioning/datasources:ro',
        to: '- ./grafana/provisioning:/etc/grafana/provisioning:ro',
        says: "grafana: hides the image's other folders",
      },
    ],
  },
  {
    name: 'bounds the log files within containers',
    rule: running.filesOfLogsDoNotGrow,
    broken: [
      { from: '- ./docker/kafka:', to: '- ./docker/keys:', says: 'kafka: writes log files' },
      { from: 'EXTRA_ARGS: -name kafkaServer', to: 'EXTRA_ARGS: -loggc', says: 'kafka: logs garbage' },
      {
        from: 'HDFS_AUDIT_LOGGER: INFO,NullAppender',
        to: 'HDFS_AUDIT_LOGGER: INFO,RFAAUDIT',
        says: 'datanode: its audit log is not off',
      },
      { from: 'cleanup.enabled=true', to: 'cleanup.enabled=false', says: 'spark-worker: keeps the folders' },
    ],
  },
  {
    name: 'checks Kafka once a minute',
    rule: running.kafkasCheckIsSeldom,
    broken: [{ from: '      interval: 60s\n', to: '', says: 'kafka: is checked more than once a minute' }],
  },
]);
