import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogTail, type LineCount } from '../../../src/commands/logs/log-tail.js';
import { WorkerLog } from '../../support/worker-log.js';

const rows = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `row ${from + index} größe 価格 😀`);
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Reads until nothing more is there. */
async function all(tail: LogTail): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const read = await tail.read();
    lines.push(...read.lines);
    if (read.isAtEnd) return lines;
  }
}

const tailOf = (log: WorkerLog, begin: LineCount = 'all'): LogTail => new LogTail(log.page, begin);

describe('a tail', () => {
  it('gives each line once, when it has come to its end', async () => {
    const log = new WorkerLog('one\ntw');
    const tail = tailOf(log);
    expect(await all(tail)).toEqual(['one']);
    log.append('o\nthree\r\n');
    expect(await all(tail)).toEqual(['two', 'three']);
    expect(await all(tail)).toEqual([]);
    log.append('no end');
    expect(await all(tail)).toEqual([]);
    expect(tail.rest()).toEqual(['no end']);
    expect(tail.rest()).toEqual([]);
  });

  it('begins with the last lines that are wanted, however far back they lie', async () => {
    const lines = rows(0, 20_000);
    for (const count of [0, 1, 7, 1800, 19_999, 20_000, 30_000])
      expect(await all(tailOf(new WorkerLog(text(lines)), count))).toEqual(
        count === 0 ? [] : lines.slice(-count),
      );
    const unfinished = tailOf(new WorkerLog('a\nb\nc'), 1);
    expect([await all(unfinished), unfinished.rest()]).toEqual([['b'], ['c']]);
  });

  it('breaks no character that the end of a page cuts, or that is written in two parts', async () => {
    // Over 262,144 bytes, so that the pages end anywhere within the characters of four bytes.
    for (const shift of ['', 'x', 'xx', 'xxx']) {
      const lines = Array.from({ length: 3 }, () => `${shift}${'😀'.repeat(60_000)}`);
      const read = await all(tailOf(new WorkerLog(text(lines))));
      expect(read.join('\n').includes('\uFFFD')).toBe(false);
      expect(read.join('').length).toBe(lines.join('').length);
    }
    const log = new WorkerLog('größ');
    const tail = tailOf(log);
    const bytes = Buffer.from('e 価格\n');
    for (const byte of bytes) {
      log.append(Uint8Array.of(byte));
      const read = await all(tail);
      expect(read).toEqual(byte === 10 ? ['größe 価格'] : []);
    }
  });

  it('goes on in its place when a roll-over deletes what was read already', async () => {
    const log = new WorkerLog(text(rows(0, 3000)));
    const tail = tailOf(log);
    expect(await all(tail)).toEqual(rows(0, 3000));
    log.rollOver(1);
    log.append(text(rows(3000, 3010)));
    expect(await all(tail)).toEqual(rows(3000, 3010));
    log.rollOver(1);
    log.append(text(rows(3010, 7000)));
    expect(await all(tail)).toEqual(rows(3010, 7000));
  });

  it('goes on where only the end of what it remembers has been kept', async () => {
    const log = new WorkerLog(text(rows(0, 3000)));
    const tail = tailOf(log);
    log.rollOver(1);
    log.append(text(rows(3000, 3002)));
    expect(await all(tail)).toEqual(rows(0, 3002));
    log.append(text(rows(3002, 3100)));
    log.rollOver(1);
    log.append(text(rows(3100, 3101)));
    expect(await tail.read()).toEqual({ lines: rows(3002, 3101), isAtEnd: true, hasGap: false });
  });

  it('does not mind a page that misses a file at the moment of its renaming', async () => {
    const log = new WorkerLog(text(rows(0, 100)));
    let isRenamed = false;
    const tail = new LogTail((from, length) => {
      const page = (isRenamed ? new WorkerLog('') : log).page(from, length);
      isRenamed = false;
      return page;
    }, 'all');
    expect(await all(tail)).toEqual(rows(0, 100));
    log.append(text(rows(100, 101)));
    isRenamed = true;
    expect(await tail.read()).toEqual({ lines: rows(100, 101), isAtEnd: true, hasGap: false });
  });

  it('says so when lines were deleted before it has read them', async () => {
    const log = new WorkerLog(text(rows(0, 100)));
    const tail = tailOf(log);
    expect(await all(tail)).toEqual(rows(0, 100));
    log.append(text(rows(100, 200)));
    log.rollOver(0);
    log.append(text(rows(200, 210)));
    expect(await tail.read()).toEqual({ lines: rows(200, 210), isAtEnd: true, hasGap: true });
    expect(await all(tail)).toEqual([]);
  });

  it('ends though bytes are there that are no text', async () => {
    const log = new WorkerLog('a\n');
    const tail = tailOf(log);
    log.append(Uint8Array.of(0xff, 0xfe, 0x80, 0xc3, 0xff));
    log.append('\nb\n');
    expect((await all(tail)).at(-1)).toBe('b');
    log.append('c\n');
    expect(await all(tail)).toEqual(['c']);
  });

  it('reads what a page could not give when it is asked again', async () => {
    const log = new WorkerLog('a\nb\n');
    let isDown = true;
    const tail = new LogTail((from, length) => {
      if (isDown) return Promise.reject(new Error('no answer'));
      return log.page(from, length);
    }, 'all');
    await expect(tail.read()).rejects.toThrow('no answer');
    isDown = false;
    expect(await all(tail)).toEqual(['a', 'b']);
  });

  it('loses and repeats nothing over any order of writes, reads and roll-overs that keep what is unread', async () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 0, max: 300 }), cut: fc.nat(40) }),
      fc.constant('read' as const),
      fc.constant('roll' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const log = new WorkerLog();
        const tail = tailOf(log);
        const seen: string[] = [];
        let [next, left] = [0, Buffer.alloc(0)];
        for (const one of steps) {
          if (one === 'read') seen.push(...(await all(tail)));
          else if (one === 'roll') {
            seen.push(...(await all(tail)));
            // Spark begins a new file when one is full, so none is shorter than what a tail remembers.
            if (log.activeBytes > 2000) log.rollOver(1);
          } else {
            const bytes = Buffer.concat([left, Buffer.from(text(rows(next, next + one.write)))]);
            next += one.write;
            const kept = Math.max(0, bytes.length - one.cut);
            log.append(bytes.subarray(0, kept));
            left = bytes.subarray(kept);
          }
        }
        log.append(left);
        seen.push(...(await all(tail)));
        expect(seen).toEqual(rows(0, next));
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });
});
