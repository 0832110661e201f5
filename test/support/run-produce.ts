import {
  produce,
  type ProduceOptions,
  type ProducePorts,
  type ProduceSummary,
} from '../../src/commands/produce.js';
import { Outages } from '../../src/core/outages.js';
import { pollFeed, type PollOptions } from '../../src/commands/produce/poll-feed.js';
import type { ProblemListener } from '../../src/core/symbol-problems.js';
import type { FakeExchange } from './fake-exchange.js';
import type { FakeTopic } from './fake-topic.js';
import { VirtualClock } from './virtual-clock.js';

/** All of the exchange's trades into the topic, until caught up, on a clock that needs no waiting; a test changes what it is about. */
export const runProduce = (
  exchange: FakeExchange,
  topic: FakeTopic,
  options: Partial<ProduceOptions & PollOptions & Pick<ProducePorts, 'clock' | 'outages'>> = {},
  onProblem: ProblemListener = () => undefined,
): Promise<ProduceSummary> =>
  produce(
    {
      feed: pollFeed(
        { exchange, patientExchange: exchange },
        { untilCaughtUp: true, pollIntervalMs: 5000, ...options },
      ),
      topics: topic,
      sink: topic,
      clock: options.clock ?? new VirtualClock(),
      outages: options.outages ?? new Outages(),
    },
    {
      symbols: Object.keys(exchange.tape),
      from: { kind: 'id', id: 0 },
      ignoreCursor: false,
      progressIntervalMs: 1000,
      identity: { id: 'run', clientId: 'test', host: 'here', pid: 1 },
      giveUpAfterMs: Infinity,
      signal: new AbortController().signal,
      ...options,
    },
    { onStart: () => undefined, onProgress: () => undefined, onGap: () => undefined, onProblem },
  );
