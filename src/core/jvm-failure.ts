/** One exception of a chain as the JVM prints it. */
interface Thrown {
  /** `java.io.IOException: message`, the message's further lines below it, without frames. */
  readonly words: readonly string[];
  readonly frames: readonly string[];
}

const uncaught = /^Exception in thread "([^"]*)" /;
const causedBy = 'Caused by: ';
const frame = /^\s+(at |\.\.\. \d+ more)/;
/** Of each exception; the first frames say where it happened. */
const [mostWords, mostFrames] = [4, 4];
/** Of a chain: the first say what was tried, the last what went wrong. */
const [firstKept, lastKept] = [2, 3];

/** The block of the last exception that ended a thread, the main thread's before any other's. */
function blockOf(stderr: string): readonly string[] {
  const lines = stderr.split('\n');
  const ofMain = lines.findLastIndex((line) => uncaught.exec(line)?.[1] === 'main');
  const start = ofMain >= 0 ? ofMain : lines.findLastIndex((line) => uncaught.test(line));
  if (start < 0) return [];
  const block = lines.slice(start);
  const end = block.findIndex((line, index) => index > 0 && isLogged(line));
  return end < 0 ? block : block.slice(0, end);
}

/** A line that the logging of Spark wrote: `2026-11-24 03:27:49,241 WARN NativeCodeLoader: …` or `26/11/24 03:27:49 WARN …`. */
const isLogged = (line: string): boolean => /^\d[\d/:,. -]+ (INFO|WARN|ERROR|DEBUG) /.test(line);

function toChain(block: readonly string[]): Thrown[] {
  const chain: { words: string[]; frames: string[] }[] = [];
  for (const line of block) {
    if (line.trim() === '') continue;
    if (uncaught.test(line)) chain.push({ words: [line.replace(uncaught, '')], frames: [] });
    else if (line.startsWith(causedBy)) chain.push({ words: [line.slice(causedBy.length)], frames: [] });
    else if (frame.test(line)) chain.at(-1)?.frames.push(line);
    else chain.at(-1)?.words.push(line);
  }
  // Spark's own wrapper around a main class that it calls by reflection.
  return chain.length > 1 && /^java\.lang\.reflect\.InvocationTargetException$/.test(chain[0]?.words[0] ?? '')
    ? chain.slice(1)
    : chain;
}

function shorten({ words, frames }: Thrown, index: number): string[] {
  const [first = '', ...others] = words.slice(0, mostWords);
  const left = frames.length - mostFrames;
  return [
    `${index === 0 ? '' : causedBy}${first}`,
    ...others,
    ...frames.slice(0, mostFrames),
    ...(left > 0 ? [`\t… ${left} more`] : []),
  ];
}

/** `org.apache.spark.SparkException: no` as `SparkException: no`; a text that names no class stays as it is. */
export function withoutPackage(text: string): string {
  return text.replace(/^(?:[a-z_][\w$]*\.)+(?=[A-Z_])/, '');
}

/** Why a JVM's thread ended with an exception. */
export interface JvmFailure {
  /** The chain in a readable size: each exception with its first frames. */
  readonly part: string;
  /** What was thrown, and its first cause, in one line. */
  readonly line: string;
}

/** What an uncaught exception says in a driver's stderr; undefined where there is none. */
export function jvmFailure(stderr: string): JvmFailure | undefined {
  const chain = toChain(blockOf(stderr));
  const [first] = chain;
  if (first === undefined) return undefined;
  const kept =
    chain.length > firstKept + lastKept ? [...chain.slice(0, firstKept), ...chain.slice(-lastKept)] : chain;
  const top = withoutPackage(first.words[0] ?? '');
  const root = withoutPackage(chain.at(-1)?.words[0] ?? '');
  return {
    part: kept.flatMap(shorten).join('\n'),
    // The message of an exception often holds its cause's already.
    line: top.includes(root) ? top : `${top}, caused by ${root}`,
  };
}

/** The last line that Spark's logging marked as an error, without its time; undefined where there is none. */
export function lastLoggedError(stderr: string): string | undefined {
  const line = stderr.split('\n').findLast((one) => isLogged(one) && one.includes(' ERROR '));
  return line?.slice(line.indexOf(' ERROR ') + ' ERROR '.length);
}
