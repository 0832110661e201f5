import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Installation } from '../core/ports/stack.js';
import { makePrivateFolder } from './private-folder.js';
import type { Command } from './server.js';
import { layout, levelLines, pattern, writeRollingLog, type LogLevels } from './server-log.js';
import { serverEnvironment, type StackSettings } from './settings.js';

export interface SparkParts {
  readonly java: string;
  readonly installation: Installation;
  readonly version: string;
}

/**
 * What drivers and executors log, to the stderr that their worker keeps; the same file is in Spark's image. A worker rolls
 * the output of executors and not that of drivers, so a healthy stream must write nothing there.
 */
export const jobLog = `appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=${layout}
appender.console.layout.pattern=${pattern}
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
${levelLines({
  // Which application a driver has become, for programs that do not register themselves.
  'org.apache.spark.scheduler.cluster.StandaloneSchedulerBackend': 'INFO',
  // The end of a process: the time since its first line is how long it ran.
  'org.apache.spark.util.ShutdownHookManager': 'INFO',
  // Warns of each batch that took longer than its interval; how far a query is behind is in the database.
  'org.apache.spark.sql.execution.streaming.runtime.ProcessingTimeExecutor': 'ERROR',
})}`;

const daemonLevels: LogLevels = { 'org.sparkproject.jetty': 'WARN' };

/** What every daemon of Spark is told, here and in docker-compose.yml. */
export const sparkDaemonEnvironment = {
  SPARK_PUBLIC_DNS: 'localhost',
  SPARK_DAEMON_MEMORY: '512m',
  // A worker decodes logs for its pages by the JVM's default: before Java 18 that is ASCII where no LANG is set.
  SPARK_DAEMON_JAVA_OPTS: '-XX:+UseSerialGC -Djava.net.preferIPv4Stack=true -Dfile.encoding=UTF-8',
} as const;

/** Writes the configuration folder of one server: its own, since what workers read reaches every driver. */
export async function writeSparkConf(
  folder: string,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const conf = join(folder, 'conf');
  await makePrivateFolder(folder);
  await mkdir(conf, { recursive: true });
  const lines = Object.entries(values).map(([key, value]) => `${key} ${value}\n`);
  const file = join(conf, 'spark-defaults.conf');
  await rm(file, { force: true }); // A file that is there already would keep its mode.
  await writeFile(file, lines.join(''), { mode: 0o600 });
  await writeFile(join(conf, 'log4j2.properties'), jobLog);
  return conf;
}

/** The Java argument by which a daemon takes a log of its own; without it, it would log as the jobs do. */
export const daemonLog = (folder: string, path: string): Promise<string> =>
  writeRollingLog(join(folder, 'daemon-log4j2.properties'), { path, levels: daemonLevels });

/** A daemon of Spark standalone; `spark-class` ends in exec, so its pid is the daemon's. */
export function sparkCommand(
  settings: StackSettings,
  parts: SparkParts,
  daemon: { folder: string; args: readonly string[]; env: Readonly<Record<string, string>> },
): Command {
  const { sparkHome, python } = parts.installation;
  return {
    file: join(sparkHome, 'bin', 'spark-class'),
    args: daemon.args,
    cwd: daemon.folder,
    env: serverEnvironment(settings, {
      ...(parts.java === 'java' ? {} : { JAVA_HOME: dirname(dirname(parts.java)) }),
      SPARK_HOME: sparkHome,
      SPARK_CONF_DIR: join(daemon.folder, 'conf'),
      SPARK_LOCAL_IP: '127.0.0.1',
      SPARK_LOG_DIR: daemon.folder,
      ...sparkDaemonEnvironment,
      PYSPARK_PYTHON: python,
      ...daemon.env,
    }),
  };
}
