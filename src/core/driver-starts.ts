/** Spark writes this line into a driver's stderr before each start (org.apache.spark.deploy.worker.DriverRunner). */
const startMark = /^Launch Command: .*$/m;
const timePattern = /^(\d{2,4})[-/](\d{2})[-/](\d{2})[ T](\d{2}):(\d{2}):(\d{2})/gm;

/** The time of one line, in ms; only differences mean something, since a log does not say its zone. */
function toMs(found: RegExpExecArray): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = found.slice(1).map(Number);
  return Date.UTC(year < 100 ? 2000 + year : year, month - 1, day, hour, minute, second);
}

/** How long one start has written into the log, in ms; 0 where its log has no time. */
function lifetimeMs(log: string): number {
  const times = [...log.matchAll(timePattern)].map(toMs);
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}

/**
 * How many of a driver's newest starts follow each other without having lived so long, by the end of its stderr. The pauses
 * between them do not matter: Spark doubles them. A start whose log has no time is taken to have died at once.
 */
export function shortLivedStarts(stderr: string, stableMs: number): number {
  const [, ...starts] = stderr.split(startMark);
  const lastStable = starts.findLastIndex((log) => lifetimeMs(log) >= stableMs);
  return starts.length - (lastStable + 1);
}
