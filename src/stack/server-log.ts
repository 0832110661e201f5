import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Of each server's own log: when it is rolled, and how many rolled files are kept beside it. */
export const rolling = { maxBytes: 10 * 1024 * 1024, keptFiles: 5 } as const;

/** Levels by the name of a logger; all others are at INFO. */
export type LogLevels = Readonly<Record<string, 'INFO' | 'WARN' | 'ERROR' | 'OFF'>>;

export const layout = 'PatternLayout';
export const pattern = '%d{yyyy-MM-dd HH:mm:ss,SSS} %p %c{1}: %m%n%throwable';

/** Of a properties file of Java, which is read as ISO-8859-1; log4j reads `$${` as `${`. */
const propertyValue = (text: string): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll('${', () => '$${')
    .replaceAll(/[^\x20-\x7e]/g, (unit) => String.raw`\u` + unit.charCodeAt(0).toString(16).padStart(4, '0'));

/** Lines that set the level of each logger. */
export const levelLines = (levels: LogLevels): string =>
  Object.entries(levels)
    .map(([name, level], at) => `logger.l${at}.name=${name}\nlogger.l${at}.level=${level}\n`)
    .join('');

/**
 * Configuration of log4j 2: one file, rolled by its size. The newest rolled file is `<path>.1`. The log stays open until the
 * process has ended, since servers log their own end.
 * https://logging.apache.org/log4j/2.x/manual/appenders/rolling-file.html
 */
export function rollingLog(path: string, levels: LogLevels = {}): string {
  return `shutdownHook=disable
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=${propertyValue(path)}
appender.file.filePattern=${propertyValue(path.replaceAll('%', '%%'))}.%i
appender.file.filePermissions=rw-------
appender.file.layout.type=${layout}
appender.file.layout.pattern=${pattern}
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=${rolling.maxBytes}
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.fileIndex=min
appender.file.strategy.max=${rolling.keptFiles}
rootLogger.level=INFO
rootLogger.appenderRef.file.ref=file
${levelLines(levels)}`;
}

/** Writes the configuration of a server's log to `file`; returns the argument by which Java takes it, without spaces. */
export async function writeRollingLog(
  file: string,
  log: { readonly path: string; readonly levels?: LogLevels },
): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, rollingLog(log.path, log.levels));
  return `-Dlog4j2.configurationFile=${pathToFileURL(file).href}`;
}
