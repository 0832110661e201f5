import type { Background, BackgroundStart } from '../../core/ports/background.js';
import type { Clock } from '../../core/ports/clock.js';
import type { ProcessReport } from '../../core/ports/stack.js';
import type { Topics } from '../../core/ports/topic.js';
import type { ProducerHeartbeat } from '../../core/producer-heartbeat.js';

/** The producer's name among the background processes; one runs in each data folder. */
const producerName = 'produce';

export interface BackgroundPorts {
  readonly background: Background;
  readonly topics: Pick<Topics, 'produced'>;
  readonly clock: Clock;
}

export interface StartedProducer {
  readonly process: ProcessReport;
  /** False where it ran before. */
  readonly isNew: boolean;
}

/** The producer stops by itself ten seconds after it is asked; the rest is its start's and its end's. */
const stopTimeoutMs = 20_000;

/**
 * Runs `cryptopipe produce …` in the background. It is ready when Kafka holds a heartbeat of it: then the exchange has answered,
 * and Kafka has acknowledged.
 * @throws ConfigError when one runs already with other arguments.
 */
export async function startProducer(
  { background, topics, clock }: BackgroundPorts,
  producer: Pick<BackgroundStart, 'args' | 'firstArgs'> & { readonly symbols: readonly string[] },
  signal: AbortSignal,
): Promise<StartedProducer> {
  const running = await runningProducer(background);
  const since = clock.now();
  const isNewOne = ({ startedAt, symbols }: ProducerHeartbeat): boolean =>
    startedAt >= since && symbols.some(({ symbol }) => producer.symbols.includes(symbol));
  const process = await background.start({
    name: producerName,
    args: [producerName, '--background', ...producer.args],
    ...(producer.firstArgs === undefined ? {} : { firstArgs: producer.firstArgs }),
    stopCommand: 'cryptopipe produce --stop',
    signal,
    ready: async (attempt) => {
      const { producers } = await topics.produced(attempt);
      if (!producers.some(isNewOne)) throw new Error('no heartbeat of it is in Kafka yet');
    },
  });
  return { process, isNew: process.pid !== running?.pid };
}

/** Asks it to end and waits until it has flushed; false where none ran. */
export const stopProducer = (background: Background): Promise<boolean> =>
  background.stop(producerName, stopTimeoutMs);

const runningProducer = async (background: Background): Promise<ProcessReport | undefined> =>
  (await background.list()).find(({ name, state }) => name === producerName && state === 'running');
