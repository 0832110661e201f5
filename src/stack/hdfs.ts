import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { logPathOf } from './log-path.js';
import { makePrivateFolder } from './private-folder.js';
import { layout, pattern, writeRollingLog, type LogLevels } from './server-log.js';
import type { Command, KnownEnd } from './server.js';
import { serverEnvironment, type StackSettings } from './settings.js';

/** What both servers of HDFS start from: one jar of Maven and the jars of Hadoop's client that pyspark carries. */
export interface HdfsParts {
  readonly java: string;
  readonly jars: readonly string[];
  readonly sparkHome: string;
  readonly version: string;
}

/** Only these of pyspark's jars: the others bring versions of their own of what the servers carry inside. */
const neededJars =
  /^(hadoop-client-api|hadoop-client-runtime|slf4j-api|log4j-1\.2-api|log4j-api|log4j-core|log4j-slf4j2-impl|jcl-over-slf4j)-\d/;

export const hdfsFolder = ({ dataDir }: Pick<StackSettings, 'dataDir'>): string => join(dataDir, 'hdfs');

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A Hadoop configuration file. */
export function hadoopXml(values: Readonly<Record<string, string>>): string {
  const properties = Object.entries(values).map(
    ([name, value]) => `  <property><name>${name}</name><value>${escapeXml(value)}</value></property>\n`,
  );
  return `<?xml version="1.0"?>\n<configuration>\n${properties.join('')}</configuration>\n`;
}

/** Each server locks its folder by `in_use.lock` in it. */
export const lockedFolder: KnownEnd = {
  line: /Cannot lock storage .*already locked|another node .* has already locked/,
  nextStep: 'Another server of HDFS uses this folder: stop it, or use another --data-dir.',
};

const fileUrl = (path: string): string => pathToFileURL(path).href;

export function coreSite(settings: StackSettings): Record<string, string> {
  return {
    'fs.defaultFS': `hdfs://localhost:${settings.ports.nameNodeRpc}`,
    'hadoop.tmp.dir': join(hdfsFolder(settings), 'tmp'),
    'hadoop.http.staticuser.user': settings.hdfsUser,
  };
}

export function hdfsSite(settings: StackSettings): Record<string, string> {
  const { ports } = settings;
  const folder = hdfsFolder(settings);
  return {
    'dfs.replication': '1',
    'dfs.namenode.name.dir': fileUrl(join(folder, 'name')),
    'dfs.datanode.data.dir': fileUrl(join(folder, 'data')),
    'dfs.namenode.rpc-address': `localhost:${ports.nameNodeRpc}`,
    'dfs.namenode.http-address': `127.0.0.1:${ports.nameNodeHttp}`,
    'dfs.datanode.address': `127.0.0.1:${ports.dataNodeData}`,
    'dfs.datanode.http.address': `127.0.0.1:${ports.dataNodeHttp}`,
    'dfs.datanode.ipc.address': `127.0.0.1:${ports.dataNodeIpc}`,
    // WebHDFS redirects name this host, so that a caller on this computer reaches it as it is.
    'dfs.datanode.hostname': 'localhost',
    'dfs.namenode.datanode.registration.ip-hostname-check': 'false',
    'dfs.namenode.safemode.extension': '0',
    // A page of any site could post to APPEND or TRUNCATE: a browser sends a form without asking. With this filter, a
    // request with a browser's agent needs the header X-XSRF-HEADER, which no form and no `no-cors` request can carry.
    'dfs.webhdfs.rest-csrf.enabled': 'true',
    // By default GET too; but the DataNode allows every origin to read what it sends.
    'dfs.webhdfs.rest-csrf.methods-to-ignore': 'OPTIONS,HEAD,TRACE',
    'dfs.namenode.secondary.http-address': `127.0.0.1:${ports.secondaryNameNodeHttp}`,
    'dfs.namenode.checkpoint.dir': fileUrl(join(folder, 'secondary')),
    // A checkpoint every hour, or earlier by the number of transactions; a NameNode that starts replays what is newer.
    'dfs.namenode.checkpoint.period': '3600',
    'dfs.namenode.checkpoint.txns': '100000',
    // Edits that the checkpoints contain already, kept in case one cannot be read. By default a million transactions.
    'dfs.namenode.num.extra.edits.retained': '100000',
    // By default 100 MB and, per volume of a DataNode, nothing: a full disk then stops the NameNode only at the last moment.
    'dfs.namenode.resource.du.reserved': '52428800',
    // One DataNode: there is no other to replace a failed one in a pipeline.
    'dfs.client.block.write.replace-datanode-on-failure.enable': 'false',
  };
}

/** Of programs without a log of their own: the format of a new NameNode. */
const consoleLog = `appender.console.type=Console
appender.console.name=console
appender.console.layout.type=${layout}
appender.console.layout.pattern=${pattern}
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
`;

/** The loggers that write a line or more for each request or block: most of the log, and none of what went wrong. */
const daemonLevels: LogLevels = {
  'org.eclipse.jetty': 'WARN',
  'org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit': 'OFF',
  'org.apache.hadoop.hdfs.server.datanode.DataNode.clienttrace': 'OFF',
  'org.apache.hadoop.hdfs.StateChange': 'WARN',
  'http.requests': 'WARN',
  'datanode.webhdfs': 'WARN',
  BlockStateChange: 'WARN',
};

/** Writes the configuration folder that NameNode, DataNode and HDFS clients share; returns it. */
export async function writeHadoopConf(settings: StackSettings): Promise<string> {
  const conf = join(hdfsFolder(settings), 'conf');
  await makePrivateFolder(hdfsFolder(settings));
  await mkdir(conf, { recursive: true });
  await writeFile(join(conf, 'core-site.xml'), hadoopXml(coreSite(settings)));
  await writeFile(join(conf, 'hdfs-site.xml'), hadoopXml(hdfsSite(settings)));
  await writeFile(join(conf, 'log4j2.properties'), consoleLog);
  return conf;
}

type HdfsServer = 'name-node' | 'secondary-name-node' | 'data-node';

/** A server of HDFS with a log of its own. */
export async function hdfsServerCommand(
  settings: StackSettings,
  parts: HdfsParts,
  server: { readonly name: HdfsServer; readonly className: string },
): Promise<Command> {
  const log = await writeRollingLog(join(hdfsFolder(settings), `${server.name}-log4j2.properties`), {
    path: logPathOf(settings.dataDir, server.name),
    levels: daemonLevels,
  });
  const command = hdfsCommand(settings, parts, [server.className]);
  return { ...command, args: [log, ...command.args] };
}

/** The heap of each server of HDFS. */
export const hdfsHeap = '384m';

/** A Java program of HDFS; the configuration folder goes first on the class path. */
export function hdfsCommand(settings: StackSettings, parts: HdfsParts, program: readonly string[]): Command {
  const folder = hdfsFolder(settings);
  const library = join(parts.sparkHome, 'jars');
  const bundled = readdirSync(library)
    .filter((name) => neededJars.test(name))
    .map((name) => join(library, name));
  return {
    file: parts.java,
    args: [
      ...[
        `-Xmx${hdfsHeap}`,
        '-XX:+UseSerialGC',
        '-Djava.net.preferIPv4Stack=true',
        `-Dhadoop.log.dir=${folder}`,
      ],
      ...[
        'java.lang',
        'java.util',
        'java.io',
        'java.net',
        'java.nio',
        'java.util.concurrent',
        'sun.nio.ch',
        'java.security',
      ].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
      '-cp',
      [join(folder, 'conf'), ...parts.jars, ...bundled].join(':'),
      ...program,
    ],
    cwd: folder,
    env: serverEnvironment(settings, { HADOOP_USER_NAME: settings.hdfsUser }),
  };
}
