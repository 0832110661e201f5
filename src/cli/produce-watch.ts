import type { ProduceWatch } from '../commands/produce.js';
import type { ArchiveEvent } from '../commands/produce/archive-report.js';
import type { SymbolStart } from '../commands/produce/start.js';
import type { StreamNote } from '../commands/produce/stream-feed.js';
import type { Io } from './io.js';
import type { OutageListener } from '../core/outages.js';
import { liveLine } from './live-line.js';
import { outageLines } from './outage-lines.js';
import { printJson } from './print.js';
import { archiveEventLine } from './produce-archive.js';
import { gapLine, problemLine, progressLine, startLine } from './produce-print.js';

/** What is told while a producer works, and how it is shown. */
export interface Watch extends ProduceWatch {
  readonly onWait: (reason: string, ms: number) => void;
  readonly onOutage: OutageListener;
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
    onProblem: (problem) => line.keep(problemLine(problem)),
  };
  if (!json)
    return {
      ...shown,
      onWait: (reason, ms) => line.keep(waitText(reason, ms)),
      onArchive: (event) => line.keep(archiveEventLine(event)),
      onNote: (note) => line.keep(note),
      onOutage: outageLines((text) => line.keep(text)),
      end: line.end,
    };
  return {
    onStart: (start) => printJson(io, { type: 'start', ...startFacts(start) }),
    onProgress: (progress) => quiet || printJson(io, { type: 'progress', ...progress }),
    onWait: (reason, ms) => printJson(io, { type: 'wait', reason, ms }),
    onGap: (gap) => printJson(io, { type: 'gap', ...gap }),
    onProblem: (problem) => printJson(io, { type: 'problem', ...problem }),
    onOutage: {
      onBegin: (outage) => printJson(io, { type: 'outage', ...outage }),
      onEnd: (outage) => printJson(io, { type: 'outage over', ...outage }),
    },
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
