import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyLines, createRotatingLog } from '../../../src/stack/rotating-log.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotating-log-'));
  path = join(folder, 'produce.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const write = (log: ReturnType<typeof createRotatingLog>, text: string): void => log.write(Buffer.from(text));

describe('a log', () => {
  it('begins a new file before it exceeds its size, and keeps so many former ones', () => {
    const log = createRotatingLog(path, { maxBytes: 100, kept: 2 });
    const line = (index: number): string => `line ${String(index).padStart(4, '0')} of the log\n`; // 21 bytes
    for (let index = 0; index < 22; index++) write(log, line(index));
    expect(readdirSync(folder).sort()).toEqual(['produce.log', 'produce.log.1', 'produce.log.2']);
    expect(read('produce.log')).toBe(line(20) + line(21));
    expect(read('produce.log.1')).toBe([16, 17, 18, 19].map(line).join(''));
    expect(read('produce.log.2')).toBe([12, 13, 14, 15].map(line).join(''));
  });

  it('goes on in a file that is there, whose size counts', () => {
    writeFileSync(path, 'x'.repeat(90));
    const log = createRotatingLog(path, { maxBytes: 100, kept: 2 });
    write(log, 'eight\n');
    expect(statSync(path).size).toBe(96);
    write(log, 'eight\n');
    expect(read('produce.log')).toBe('eight\n');
    expect(statSync(join(folder, 'produce.log.1')).size).toBe(96);
  });

  it('takes lines that are larger than a file', () => {
    const log = createRotatingLog(path, { maxBytes: 10, kept: 2 });
    write(log, `${'a'.repeat(50)}\n`);
    write(log, 'b\n');
    expect(read('produce.log.1')).toBe(`${'a'.repeat(50)}\n`);
    expect(read('produce.log')).toBe('b\n');
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('is for its owner alone', () => {
    write(createRotatingLog(path, { maxBytes: 10, kept: 1 }), 'a\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written ends nobody, and tells how much is missing', () => {
    const log = createRotatingLog(join(folder, 'logs', 'produce.log'), { maxBytes: 100, kept: 1 });
    write(log, 'lost\n');
    write(log, 'lost too\n');
    mkdirSync(join(folder, 'logs'));
    write(log, 'back\n');
    expect(read('logs/produce.log')).toBe('\n(14 bytes of this log could not be written)\nback\n');
  });

  it.skipIf(!existsSync('/dev/full'))('ends nobody on a full disk', () => {
    const log = createRotatingLog('/dev/full', { maxBytes: 100, kept: 0 });
    expect(() => write(log, 'lost\n')).not.toThrow();
  });
});

describe('what a program prints', () => {
  async function printed(prints: readonly (readonly ['out' | 'err', string])[]): Promise<string> {
    const log = createRotatingLog(path, { maxBytes: 1e6, kept: 1 });
    const streams = { out: new PassThrough(), err: new PassThrough() };
    copyLines(streams.out, log);
    copyLines(streams.err, log);
    for (const [name, text] of prints) {
      streams[name].write(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const stream of Object.values(streams)) {
      const closed = once(stream, 'close');
      stream.end();
      await closed;
    }
    return read('produce.log');
  }

  it('is written in whole lines, whichever stream it is from', async () => {
    expect(
      await printed([
        ['out', 'one, '],
        ['err', 'error: two\nthr'],
        ['out', 'still one\n'],
        ['err', 'ee\n'],
      ]),
    ).toBe('error: two\none, still one\nthree\n');
  });

  it('is complete with an end that has no line end', async () => {
    expect(await printed([['err', 'last words']])).toBe('last words\n');
  });

  it('is cut where a line is too long to keep in memory', async () => {
    const long = 'x'.repeat(100_000);
    const text = await printed([['out', long]]);
    expect(text.replaceAll('\n', '')).toBe(long);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(150_000);
  });
});
