/** Spark writes this line into a driver's stderr before each start (org.apache.spark.deploy.worker.DriverRunner). */
const startMark = /^Launch Command: .*$/m;
const timePattern = /^(\d{2,4})[-/](\d{2})[-/](\d{2})[ T](\d{2}):(\d{2}):(\d{2})/m;

/** The first time of a piece of log, in ms; only differences mean something, since a log does not say its zone. */
function firstTime(text: string): number | undefined {
  const found = timePattern.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = found.slice(1).map(Number);
  return Date.UTC(year < 100 ? 2000 + year : year, month - 1, day, hour, minute, second);
}

/**
 * How many of the newest starts of a driver lie within so long of the last one, by the end of its stderr. A start whose
 * log has no time, or was cut off, is taken to have died at once.
 */
export function recentStarts(stderr: string, withinMs: number): number {
  const times = stderr.split(startMark).slice(1).map(firstTime);
  const last = times.findLast((time) => time !== undefined);
  return times.filter((time) => time === undefined || last === undefined || last - time <= withinMs).length;
}
