import { jvmFailure, lastLoggedError, withoutPackage } from './jvm-failure.js';

/** Both streams of a driver, or their ends. Spark sends both streams of Python to stdout, the JVM's log to stderr. */
export interface DriverLog {
  readonly stdout: string;
  readonly stderr: string;
}

const tracebackStart = 'Traceback (most recent call last):';
/** The sentences of Python between two errors of a chain. */
const chained = /^(The above exception was the direct cause of|During handling of the above exception)/;
/** So a job names data, or a statement, that are not as they should be: nothing else in its log says more. */
const ownError = 'DataError: ';
const maxLines = 60;
const longestReason = 400;

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** What our workers print in the place of a program that is not the one that was submitted (docker/spark/driver-python.sh). */
const refusal = 'ProgramRefused: ';

/** Why a worker did not run the program at its last start; undefined where it ran it. */
export function programRefusal({ stdout }: Pick<DriverLog, 'stdout'>): string | undefined {
  const last = linesOf(stdout).at(-1);
  return last?.startsWith(refusal) === true ? last.slice(0, longestReason) : undefined;
}

/** The last `count` lines of a text. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

const isIndented = (line: string): boolean => /^\s/.test(line);

/** Whether the traceback at `index` belongs to the one that begins at `before`: its cause, or what a worker's Python said. */
function continues(lines: readonly string[], before: number, index: number): boolean {
  if (chained.test(lines[index - 1] ?? '') || (lines[index] ?? '').startsWith('Caused by:')) return true;
  const error = lines.findIndex((line, at) => at > before && !isIndented(line));
  return error === index || error === index - 1;
}

interface Traceback {
  /** All of its chain, its last error too. */
  readonly lines: readonly string[];
  /** Where in them the last traceback begins. */
  readonly last: number;
}

/** The last traceback of Python with the errors that it came of; undefined where there is none. */
function lastTraceback(stdout: string): Traceback | undefined {
  const lines = linesOf(stdout);
  const starts = lines.flatMap((line, index) => (line.includes(tracebackStart) ? [index] : []));
  const last = starts.at(-1);
  if (last === undefined) return undefined;
  let first = last;
  for (const before of starts.slice(0, -1).reverse()) {
    if (!continues(lines, before, first)) break;
    first = before;
  }
  return { lines: lines.slice(first), last: last - first };
}

/** Without the command that the worker started the driver with, which it writes above a row of `=`. */
function withoutHead(stderr: readonly string[]): readonly string[] {
  return stderr[0]?.startsWith('Launch Command: ') === true
    ? stderr.slice(stderr.findIndex((line) => /^=+$/.test(line)) + 1)
    : stderr;
}

/**
 * The part of a driver's log that shows why it failed: the last traceback of Python, else the exception that ended the
 * JVM's main thread, else the end of both streams.
 */
export function tellingEnd(log: DriverLog): string {
  const refused = programRefusal(log);
  if (refused !== undefined) return refused;
  const traceback = lastTraceback(log.stdout)?.lines;
  if (traceback !== undefined)
    return traceback.length <= maxLines
      ? traceback.join('\n')
      : [...traceback.slice(0, 10), '  …', ...traceback.slice(11 - maxLines)].join('\n');
  const printed = linesOf(log.stdout);
  const own = printed.findLastIndex((line) => line.startsWith(ownError));
  if (own >= 0) return printed.slice(own, own + maxLines).join('\n');
  const stdout = printed.slice(-10);
  const jvm = jvmFailure(log.stderr);
  if (jvm !== undefined) return [...stdout, jvm.part].join('\n');
  return [...stdout, ...withoutHead(linesOf(log.stderr)).slice(-20)].join('\n');
}

/** The error that a traceback ends with. Py4J's own says nothing: what the JVM threw stands in the line after it. */
function errorOf({ lines, last }: Traceback): string | undefined {
  const after = lines.slice(last + 1);
  const index = after.findIndex((line) => !isIndented(line));
  const error = after[index];
  return error?.includes('Py4JJavaError') === true ? (after[index + 1] ?? error).replace(/^: /, '') : error;
}

/**
 * One line that says why a driver failed; undefined where nothing in its log does, as when a signal ended it. The last
 * line of stdout is taken where neither Python nor the JVM named an error: it is the message of a Python `SystemExit`.
 */
export function failureLine(log: DriverLog): string | undefined {
  const refused = programRefusal(log);
  if (refused !== undefined) return refused;
  const traceback = lastTraceback(log.stdout);
  const line =
    (traceback === undefined ? undefined : errorOf(traceback)) ??
    linesOf(log.stdout).findLast((one) => one.startsWith(ownError)) ??
    jvmFailure(log.stderr)?.line ??
    linesOf(log.stdout).at(-1) ??
    lastLoggedError(log.stderr);
  return line === undefined ? undefined : readable(line);
}

/** By what a process ended that has such an exit code (128 and the signal's number). */
const signals: Readonly<Record<string, string>> = {
  134: 'SIGABRT',
  137: 'SIGKILL: so the system ends what takes too much memory',
  139: 'SIGSEGV',
  143: 'SIGTERM',
};

function readable(line: string): string {
  const cut = withoutPackage(line.trim()).replace(/;$/, '').slice(0, longestReason);
  const signal = signals[/exited with code (\d+)/.exec(cut)?.[1] ?? ''];
  return signal === undefined ? cut : `${cut} (${signal})`;
}

/** What Spark's REST server says of a driver that could not be started, in one line and without its heading. */
export function messageLine(message: string): string | undefined {
  const line = linesOf(message).find((one) => !one.startsWith('Exception from the cluster:'));
  return line === undefined ? undefined : withoutPackage(line.trim()).slice(0, longestReason);
}
