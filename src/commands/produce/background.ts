import type { Background } from '../../core/ports/background.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Exchange } from '../../core/ports/exchange.js';
import type { ProcessReport } from '../../core/ports/stack.js';
import type { Cursor, Topics } from '../../core/ports/topic.js';

/** The producer's name among the background processes; one runs in each data folder. */
const producerName = 'produce';

export interface BackgroundPorts {
  readonly background: Background;
  readonly topics: Pick<Topics, 'cursors'>;
  readonly exchange: Pick<Exchange, 'symbols'>;
  readonly clock: Clock;
}

export interface StartedProducer {
  readonly process: ProcessReport;
  /** False where it ran before. */
  readonly isNew: boolean;
}

/** The producer stops by itself ten seconds after it is asked; the rest is its start's and its end's. */
const stopTimeoutMs = 20_000;
/** Longer than a producer takes to find out that Kafka or the exchange is not there. */
const quietMs = 15_000;

/**
 * Runs `cryptopipe produce …` in the background. It is ready when Kafka holds a cursor that it has written: then the exchange
 * has answered, and Kafka has acknowledged. Where no trade comes there is no cursor: then it is ready when it has lived for
 * 15 seconds and both answer here too.
 * @throws ConfigError when one runs already with other arguments.
 */
export async function startProducer(
  { background, topics, exchange, clock }: BackgroundPorts,
  producer: { readonly args: readonly string[]; readonly symbols: readonly string[] },
  signal: AbortSignal,
): Promise<StartedProducer> {
  const running = await runningProducer(background);
  const since = clock.now();
  const isWritten = ({ symbol, writtenAt }: Cursor): boolean =>
    writtenAt >= since && producer.symbols.includes(symbol);
  let firstAskedAt: number | undefined;
  const process = await background.start({
    name: producerName,
    args: [producerName, '--background', ...producer.args],
    stopCommand: 'cryptopipe produce --stop',
    signal,
    ready: async (attempt) => {
      firstAskedAt ??= clock.now();
      const cursors = await topics.cursors();
      if (cursors.some(isWritten)) return;
      if (clock.now() - firstAskedAt < quietMs) throw new Error('no cursor of it is in Kafka yet');
      // A failure of ours is asked again, as every other attempt is; the producer rides out a moment without the exchange too.
      await exchange.symbols(producer.symbols, attempt).catch((cause: unknown) => {
        throw new Error(`the exchange does not answer: ${(cause as Error).message}`, { cause });
      });
    },
  });
  return { process, isNew: process.pid !== running?.pid };
}

/** Asks it to end and waits until it has flushed; false where none ran. */
export const stopProducer = (background: Background): Promise<boolean> =>
  background.stop(producerName, stopTimeoutMs);

const runningProducer = async (background: Background): Promise<ProcessReport | undefined> =>
  (await background.list()).find(({ name, state }) => name === producerName && state === 'running');
