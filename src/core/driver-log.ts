const tracebackStart = 'Traceback (most recent call last):';
const maxLines = 60;

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** The last `count` lines of a text. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/**
 * The part of a driver's log that shows why it failed. Python's traceback comes first and stands in stdout: Spark sends
 * both streams of Python there, and the JVM's log to stderr. Without one, the end of both.
 */
export function tellingEnd(log: { readonly stdout: string; readonly stderr: string }): string {
  const stdout = linesOf(log.stdout);
  const start = stdout.findLastIndex((line) => line.includes(tracebackStart));
  if (start >= 0) {
    const traceback = stdout.slice(start);
    return traceback.length <= maxLines
      ? traceback.join('\n')
      : [...traceback.slice(0, 10), '  …', ...traceback.slice(11 - maxLines)].join('\n');
  }
  return [...stdout.slice(-10), ...linesOf(log.stderr).slice(-20)].join('\n');
}

/**
 * One line that says why a driver failed: the last that Python printed, which is a traceback's error or the message of a
 * SystemExit. Never one of the JVM's log: its last line is about anything.
 */
export function failureLine(stdout: string): string | undefined {
  return linesOf(stdout).at(-1)?.trim();
}
