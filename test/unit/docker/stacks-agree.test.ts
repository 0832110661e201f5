import { stacksAgree } from '../../support/compose/agreement.js';
import { describeChecks, root } from '../../support/compose/describe-checks.js';

describeChecks([
  {
    name: 'agrees with the native stack',
    rule: stacksAgree(root),
    broken: [
      {
        from: 'apache/kafka:4.3.1',
        to: 'apache/kafka:4.3.0',
        says: 'version of kafka: docker 4.3.0, native 4.3.1',
      },
      {
        from: 'ghcr.io/apache/hadoop:3.5.0',
        to: 'ghcr.io/apache/hadoop:3.4.3',
        says: 'version of hadoop: docker 3.4.3, native 3.5.0',
      },
      {
        from: 'image: cryptopipe-spark:0.1.0',
        to: 'image: cryptopipe-spark:0.0.9',
        says: 'the image of spark-master is 0.0.9',
      },
      {
        from: "KAFKA_NUM_PARTITIONS: '1'",
        to: "KAFKA_NUM_PARTITIONS: '3'",
        says: 'Kafka num.partitions: docker 3, native 1',
      },
      {
        from: '-Xmx512m',
        to: '-Xmx1g',
        says: 'Kafka KAFKA_HEAP_OPTS: docker -Xms128m -Xmx1g, native -Xms128m -Xmx512m',
      },
      {
        from: "dfs.replication: '1'",
        to: "dfs.replication: '3'",
        says: 'namenode dfs.replication: docker 3, native 1',
      },
      {
        from: 'HADOOP_HEAPSIZE_MAX: 384m',
        to: 'HADOOP_HEAPSIZE_MAX: 512m',
        says: 'namenode heap: docker 512m, native 384m',
      },
      {
        from: 'SPARK_DAEMON_MEMORY: 512m',
        to: 'SPARK_DAEMON_MEMORY: 1g',
        says: 'Spark master SPARK_DAEMON_MEMORY: docker 1g',
      },
      {
        from: "- --cores\n      - '6'",
        to: "- --cores\n      - '2'",
        says: 'Spark worker cores: docker 2, native 6',
      },
      {
        from: 'logs.rolling.maxSize=10485760',
        to: 'logs.rolling.maxSize=1048576',
        says: 'Spark worker spark.executor.logs.rolling.maxSize: docker 1048576, native 10485760',
      },
      {
        from: '-Dspark.executor.logs.rolling.strategy=size',
        to: '',
        says: 'Spark worker spark.executor.logs.rolling.strategy: docker none, native size',
      },
      {
        from: 'max_connections=60',
        to: 'max_connections=100',
        says: 'PostgreSQL max_connections: docker 100, native 60',
      },
      {
        from: '--encoding=UTF8',
        to: '--encoding=LATIN1',
        says: 'PostgreSQL initdb: docker --encoding=LATIN1',
      },
      {
        from: "PARALLELISM: '4'",
        to: "PARALLELISM: '32'",
        says: 'Airflow AIRFLOW__CORE__PARALLELISM: docker 32, native 4',
      },
      {
        from: "PYTHONUNBUFFERED: '1'",
        to: "PYTHONUNBUFFERED: ''",
        says: 'Airflow PYTHONUNBUFFERED: docker , native 1',
      },
      {
        from: 'fs.defaultFS: hdfs://namenode:8020',
        to: 'fs.defaultFS: hdfs://namenode:9000',
        says: 'HDFS client fs.defaultFS',
      },
    ],
  },
]);
