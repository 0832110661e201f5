import { printable } from '../core/printable.js';
import type { Io } from './io.js';

/** A line of progress on stderr: drawn over on a terminal, one plain line each time elsewhere. */
export interface LiveLine {
  /** Replaces the line. */
  readonly draw: (text: string) => void;
  /** A line of its own that stays. */
  readonly keep: (text: string) => void;
  /** Leaves the last line standing; safe to call twice. */
  readonly end: () => void;
}

const eraseLine = '\r\u001b[2K';

/** With `quiet`, only what is kept is shown. */
export function liveLine(io: Io, quiet: boolean): LiveLine {
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) io.err(eraseLine, 'styled');
    isDrawn = false;
  };
  return {
    draw: (text) => {
      if (quiet) return;
      if (io.isTerminal) io.err(`${eraseLine}${printable(text)}`, 'styled');
      else io.err(`${text}\n`);
      isDrawn = io.isTerminal;
    },
    keep: (text) => {
      clear();
      io.err(`${text}\n`);
    },
    end: () => {
      if (isDrawn) io.err('\n');
      isDrawn = false;
    },
  };
}
