import type { ProduceWatch } from '../commands/produce.js';
import type { ArchiveEvent } from '../commands/produce/archive-report.js';
import type { SymbolStart } from '../commands/produce/start.js';
import type { StreamNote } from '../commands/produce/stream-feed.js';
import type { Io } from './io.js';
import { liveLine } from './live-line.js';
import { printJson } from './print.js';
import { archiveEventLine } from './produce-archive.js';
import { gapLine, progressLine, startLine } from './produce-print.js';

/** What is told while a producer works, and how it is shown. */
export interface Watch extends ProduceWatch {
  readonly onWait: (reason: string, ms: number) => void;
  readonly onArchive: (event: ArchiveEvent) => void;
  readonly onNote: StreamNote;
  readonly end: () => void;
}

/** Lines for people on stderr, the last one drawn over; or JSON lines on stdout. */
export function watchFor(
  io: Io,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
): Watch {
  const line = liveLine(io, quiet);
  const waitText = (reason: string, ms: number): string => `waiting ${(ms / 1000).toFixed(1)} s: ${reason}`;
  const shown: ProduceWatch = {
    onStart: (start) => line.keep(startLine(start)),
    onProgress: (progress) => line.draw(progressLine(progress)),
    onGap: (gap) => line.keep(gapLine(gap)),
  };
  if (!json)
    return {
      ...shown,
      onWait: (reason, ms) => line.keep(waitText(reason, ms)),
      onArchive: (event) => line.keep(archiveEventLine(event)),
      onNote: (note) => line.keep(note),
      end: line.end,
    };
  return {
    onStart: (start) => printJson(io, { type: 'start', ...startFacts(start) }),
    onProgress: (progress) => quiet || printJson(io, { type: 'progress', ...progress }),
    onWait: (reason, ms) => printJson(io, { type: 'wait', reason, ms }),
    onGap: (gap) => printJson(io, { type: 'gap', ...gap }),
    onNote: (note) => printJson(io, { type: 'note', note }),
    onArchive: ({ kind, ...facts }) => printJson(io, { type: kind, ...facts }),
    end: line.end,
  };
}

const startFacts = ({ symbol, nextId, reason, newest }: SymbolStart): object => ({
  symbol,
  nextId,
  reason,
  newestId: newest?.aggTradeId,
});
