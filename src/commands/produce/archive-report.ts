import type { IdRange } from '../../core/ports/bars.js';

/** What an archive does not say by its trades alone. Days are `2024-08-08`. */
export type ArchiveEvent =
  | { readonly kind: 'missing file'; readonly symbol: string; readonly day: string }
  | { readonly kind: 'hole'; readonly symbol: string; readonly hole: FilledHole }
  | { readonly kind: 'odd file'; readonly symbol: string; readonly file: string; readonly odd: OddRows };

/** Ids that the archive lacks, and what the exchange had of them. */
export interface FilledHole extends IdRange {
  readonly fetched: number;
  /** Ids that the exchange does not have either: they were never published. */
  readonly unpublished: readonly IdRange[];
  /** Rows of the exchange that cannot be read: stored as they are. */
  readonly unreadable: number;
}

/** How many rows of a file are not what they should be: in order of id, each once. */
export interface OddRows {
  /** The row before, once more: left out. */
  readonly doubled: number;
  /** Another trade under the id of the row before: sent too, the job keeps the first and stores the other. */
  readonly conflicting: number;
  /** An id below one before: sent too, the job counts each id once. */
  readonly disordered: number;
  /** No trade can be read: stored as it is, and its id is fetched from the exchange. */
  readonly unreadable: number;
}

/** What a run over an archive found, all symbols together. */
export interface ArchiveReport {
  readonly files: number;
  readonly missingFiles: number;
  readonly holes: number;
  readonly fetched: number;
  readonly unpublishedIds: number;
  /** The first of them. */
  readonly unpublished: readonly (IdRange & { readonly symbol: string })[];
  readonly odd: OddRows;
}

const mostListed = 100;
export const noOddRows: OddRows = { doubled: 0, conflicting: 0, disordered: 0, unreadable: 0 };

/** Sums up events, and passes each on; its size does not grow with the archive. */
export class ArchiveNotes {
  private sums: ArchiveReport = {
    files: 0,
    missingFiles: 0,
    holes: 0,
    fetched: 0,
    unpublishedIds: 0,
    unpublished: [],
    odd: noOddRows,
  };

  constructor(private readonly onEvent: (event: ArchiveEvent) => void) {}

  get report(): ArchiveReport {
    return this.sums;
  }

  noFile(symbol: string, day: string): void {
    this.sums = { ...this.sums, missingFiles: this.sums.missingFiles + 1 };
    this.onEvent({ kind: 'missing file', symbol, day });
  }

  file(symbol: string, file: string, odd: OddRows): void {
    const before = this.sums.odd;
    this.sums = {
      ...this.sums,
      files: this.sums.files + 1,
      odd: {
        doubled: before.doubled + odd.doubled,
        conflicting: before.conflicting + odd.conflicting,
        disordered: before.disordered + odd.disordered,
        unreadable: before.unreadable + odd.unreadable,
      },
    };
    if (odd.doubled + odd.conflicting + odd.disordered + odd.unreadable > 0)
      this.onEvent({ kind: 'odd file', symbol, file, odd });
  }

  filled(symbol: string, hole: FilledHole): void {
    const named = hole.unpublished.map((range) => ({ symbol, ...range }));
    this.sums = {
      ...this.sums,
      holes: this.sums.holes + 1,
      fetched: this.sums.fetched + hole.fetched,
      unpublishedIds:
        this.sums.unpublishedIds + hole.lastId - hole.firstId + 1 - hole.fetched - hole.unreadable,
      unpublished: [...this.sums.unpublished, ...named].slice(0, mostListed),
    };
    this.onEvent({ kind: 'hole', symbol, hole });
  }
}
