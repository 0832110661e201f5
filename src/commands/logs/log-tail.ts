import type { LogPage } from '../../core/ports/worker-logs.js';

/** Bytes `from` to `from + byteLength` of one log. */
export type FetchPage = (from: number, byteLength: number) => Promise<LogPage>;

/** How many of the last lines a tail begins with. */
export type LineCount = number | 'all';

const pageBytes = 262_144;
/** How far a look backwards reaches at a time, in search of the first line that is wanted. */
const stepBackBytes = 65_536;
/** What is read again before new bytes, to see that they still have the numbers that they had. */
const anchorLength = 512;
/** So much of its end is enough to know it again at the very beginning of a log, where roll-over has deleted the rest. */
const leastAnchor = 16;
/** A line that does not end is given out in pieces of about this length, so that memory stays bounded. */
const longestLine = 65_536;
const replacement = '\uFFFD';

const byteLengthOf = (text: string): number => new TextEncoder().encode(text).length;
const lineEndsIn = (text: string): number => text.split('\n').length - 1;

/**
 * Whether a page's text is what its bytes were, so that lengths in it can be told. Where the page began within a
 * character, each of that one's bytes has become a U+FFFD, which by itself is three bytes long.
 */
function isExact({ text, from, to }: LogPage): boolean {
  const cut = /^\uFFFD{0,3}/.exec(text)?.[0].length ?? 0;
  return byteLengthOf(text) - 2 * cut === to - from;
}

/** The end of what was read last, by which its place is known again. */
interface Anchor {
  readonly text: string;
  readonly bytes: number;
}

const anchorOf = (text: string): Anchor => ({ text, bytes: byteLengthOf(text) });

/** The longest end of an anchor with which a text begins. */
function endAtBeginning(text: string, anchor: Anchor): Anchor | undefined {
  for (let cut = 1; cut <= anchor.text.length - leastAnchor; cut += 1)
    if (text.startsWith(anchor.text.slice(cut))) return anchorOf(anchor.text.slice(cut));
  return undefined;
}

/** What one read gave. */
export interface TailRead {
  /** Those that have come to their end since the last read. */
  readonly lines: readonly string[];
  /** False where more is there already. */
  readonly isAtEnd: boolean;
  /** True where lines had been deleted before they could be read; these come after the gap. */
  readonly hasGap: boolean;
}

/**
 * Reads one log of a worker forwards: every line once, in order.
 *
 * The worker decodes each page by itself, so a page must not end within a character, and it counts bytes over the files
 * that are there now, so a roll-over that deletes the oldest moves all numbers. Each read therefore begins with the end of
 * what is known; where that is not what stands there, the log is searched for it, from its end backwards.
 */
export class LogTail {
  /** Of the next byte to read; undefined before the first read. */
  private position: number | undefined;
  /** Lines that lie before the first that is wanted. */
  private toSkip = 0;
  private anchor: Anchor = anchorOf('');
  private unfinished = '';

  constructor(
    private readonly fetch: FetchPage,
    /** How many of the lines that are there already are wanted. */
    private readonly begin: LineCount,
  ) {}

  /** The next page of lines. An error has changed nothing: read again. */
  async read(): Promise<TailRead> {
    this.position ??= await this.firstPosition();
    let hasGap = false;
    for (let mismatches = 0; ; mismatches += 1) {
      const from = this.position - this.anchor.bytes;
      const page = await this.wholePage(from, this.anchor.bytes + pageBytes);
      if (page.from === from && page.text.startsWith(this.anchor.text)) {
        const fresh = page.text.slice(this.anchor.text.length);
        this.moveTo(page);
        return { lines: this.take(fresh), isAtEnd: fresh === '' || page.to === page.total, hasGap };
      }
      // At the moment when a file is renamed the worker sees neither its old nor its new name: look twice.
      if (mismatches > 0) hasGap = !(await this.findAgain(page.total)) || hasGap;
    }
  }

  /** The line without an end that stands last, when nothing comes after it any more. */
  rest(): string[] {
    const rest = this.unfinished;
    this.unfinished = '';
    return rest === '' ? [] : [rest];
  }

  /** Goes back until enough lines lie ahead, and notes how many of them are too many. */
  private async firstPosition(): Promise<number> {
    if (this.begin === 'all') return 0;
    let from = (await this.fetch(0, 0)).total;
    let ahead = 0;
    while (from > 0 && ahead <= this.begin) {
      const to = from;
      from = Math.max(0, to - stepBackBytes);
      ahead += lineEndsIn((await this.fetch(from, to - from)).text);
    }
    // The first of them has lost its beginning, unless the log begins there.
    this.toSkip = Math.max(0, ahead - this.begin);
    return from;
  }

  /** A page that does not end within a character: a shorter one where it would. */
  private async wholePage(from: number, byteLength: number): Promise<LogPage> {
    const page = await this.fetch(from, byteLength);
    for (let cut = 1; cut <= 3 && page.text.endsWith(replacement) && page.to - cut >= page.from; cut += 1) {
      const shorter = await this.fetch(page.from, page.to - page.from - cut);
      if (!shorter.text.endsWith(replacement)) return { ...shorter, total: page.total };
    }
    return page;
  }

  private moveTo(page: LogPage): void {
    this.position = page.to;
    const text = page.text.slice(-anchorLength).replace(/^[\uDC00-\uDFFF]/, '');
    this.anchor = anchorOf(isExact(page) && !text.includes(replacement) ? text : '');
  }

  private take(text: string): string[] {
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop() ?? '';
    if (this.unfinished.length > longestLine) lines.push(...this.rest());
    const wanted = lines.slice(this.toSkip);
    this.toSkip -= lines.length - wanted.length;
    return wanted.map((line) => line.replace(/\r$/, ''));
  }

  /**
   * Goes to the place of what was read last, after a roll-over has deleted a file: nearer to the beginning than before.
   * False where it is nowhere any more; then the next byte is the first.
   */
  private async findAgain(total: number): Promise<boolean> {
    const { text, bytes } = this.anchor;
    const before = this.position ?? 0;
    for (let to = Math.min(total, before - 1); text !== '' && to > 0;) {
      const page = await this.wholePage(Math.max(0, to - pageBytes), Math.min(to, pageBytes));
      const index = page.text.lastIndexOf(text);
      const position = page.to - byteLengthOf(page.text.slice(index + text.length));
      const kept = page.from === 0 ? endAtBeginning(page.text, this.anchor) : undefined;
      // Only bytes that are no text can make it seem to lie behind; then it cannot be told.
      if (index >= 0 && position < before) this.position = position;
      else if (kept !== undefined) [this.position, this.anchor] = [kept.bytes, kept];
      else if (page.from > 0) {
        to = page.from + bytes;
        continue;
      } else break;
      return true;
    }
    [this.position, this.anchor, this.unfinished] = [0, anchorOf(''), ''];
    return false;
  }
}
