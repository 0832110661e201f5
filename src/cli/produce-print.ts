import type { ProduceSummary } from '../commands/produce.js';
import type { SymbolStart } from '../commands/produce/start.js';
import type { Gap } from '../core/gap.js';
import type { ProduceProgress, SymbolProgress } from '../core/produce-progress.js';
import type { ProblemListener } from '../core/symbol-problems.js';
import type { Io } from './io.js';

/** Drawn over on a terminal it may be lively; in the background it fills a log that nobody reads for days. */
export function progressIntervalMs(
  { isTerminal }: Pick<Io, 'isTerminal'>,
  { json, background }: { readonly json: boolean; readonly background?: boolean },
): number {
  if (background === true) return 60_000;
  return isTerminal && !json ? 500 : 5000;
}

const utc = (time: number): string => new Date(time).toISOString();
const grouped = (value: number): string => value.toLocaleString('en-US');

/** One line on where a symbol begins. */
export function startLine({ symbol, nextId, reason, cursor }: SymbolStart): string {
  if (reason === 'slot') return `${symbol}: samples from slot ${nextId} on`;
  if (cursor !== undefined)
    return `${symbol}: goes on after trade ${cursor.aggTradeId} of ${utc(cursor.eventTime)}, the last that Kafka acknowledged`;
  const why = { cursor: '', now: 'the newest', time: 'the first of that time', id: 'as asked' }[reason];
  return `${symbol}: begins with trade ${nextId}, ${why}`;
}

/** What the stream did not bring, and how soon it was there all the same. */
export function gapLine({ symbol, why, firstId, lastId, openedAt, filledAt }: Gap): string {
  const count = lastId - firstId + 1;
  const trades =
    count === 1 ? `trade ${firstId} was` : `${grouped(count)} trades (${firstId} to ${lastId}) were`;
  return `${symbol}: ${trades} fetched by id (${why}), in Kafka after ${((filledAt - openedAt) / 1000).toFixed(2)} s`;
}

/** A problem of one symbol, or its end. */
export const problemLine = ({ symbol, reason, until }: Parameters<ProblemListener>[0]): string =>
  until === undefined ? `${symbol}: ${reason}` : `${symbol}: no longer so: ${reason}`;

/** All symbols in one line. */
export function progressLine(progress: ProduceProgress): string {
  return progress.symbols.map(symbolText).join(' | ');
}

function symbolText({
  symbol,
  lastId,
  behindSeconds,
  tradesPerSecond,
  state,
  missed,
}: SymbolProgress): string {
  const behind =
    behindSeconds === undefined
      ? state
      : behindSeconds < 1 && state === 'live'
        ? 'live'
        : `${grouped(Math.round(behindSeconds))} s behind`;
  return `${symbol} ${lastId ?? '-'}, ${behind}, ${grouped(tradesPerSecond)}/s${missedText(missed)}`;
}

const missedText = (missed: number): string => (missed === 0 ? '' : `, ${grouped(missed)} missed`);

/** What was sent, one line a symbol and one in all. */
export function summaryLines(summary: ProduceSummary, unit: 'trade' | 'sample' = 'trade'): string[] {
  const lines = summary.symbols.map(({ symbol, sent, firstId, lastId, missed }) =>
    sent === 0
      ? `${symbol}: no new ${unit}${lastId === undefined ? '' : ` after ${lastId}`}${missedText(missed)}`
      : `${symbol}: ${grouped(sent)} ${unit}s sent and acknowledged, ${firstId ?? ''} to ${lastId ?? ''}${missedText(missed)}`,
  );
  const perSecond = Math.round(summary.sent / Math.max(0.001, summary.seconds));
  return [
    ...lines,
    `${summary.ended}: ${grouped(summary.sent)} ${unit}s in ${summary.seconds.toFixed(1)} s, ${grouped(perSecond)}/s`,
  ];
}
