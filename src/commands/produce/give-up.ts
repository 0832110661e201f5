import { UsageError } from '../../core/errors.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Cursor, TickSink, Topics } from '../../core/ports/topic.js';

export interface GiveUpPorts {
  readonly topics: Pick<Topics, 'produced'>;
  readonly sink: Pick<TickSink, 'open' | 'writeCursors' | 'close'>;
  readonly clock: Clock;
}

/**
 * Marks symbols as not wanted any more, so that `status` no longer misses their producer: the last cursor of each is written once
 * more, as an end. What was sent stays, and a later `produce` of the symbol goes on after it.
 *
 * @returns the cursors as they are now.
 * @throws UsageError where a symbol has no cursor.
 */
export async function giveUp(
  { topics, sink, clock }: GiveUpPorts,
  symbols: readonly string[],
): Promise<readonly Cursor[]> {
  const cursors = (await topics.produced()).cursors.filter(({ symbol }) => symbols.includes(symbol));
  const missing = symbols.filter((name) => cursors.every(({ symbol }) => symbol !== name));
  if (missing.length > 0)
    throw new UsageError(
      `No producer has sent a trade of ${missing.join(', ')}, so there is nothing to give up`,
      {
        nextStep: 'Correct the symbols after --give-up; `cryptopipe status` lists those that were sent.',
      },
    );
  const writtenAt = clock.now();
  const ended = cursors.map((cursor): Cursor => ({ ...cursor, writtenAt, endedBy: 'given up' }));
  try {
    await sink.open();
    await sink.writeCursors(ended);
  } finally {
    await sink.close();
  }
  return ended;
}
