import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { atMost, flushed } from '../../src/cli/process-end.js';

/** A reader that takes each piece only when it is told to. */
function slowReader() {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write: (part: Buffer, _encoding, done) => {
      waiting.push(() => {
        taken.push(part.toString());
        done();
      });
    },
  });
  return { stream, taken, takeNext: () => waiting.shift()?.() };
}

const settled = async (work: Promise<unknown>): Promise<boolean> => {
  let isSettled = false;
  void work.then(() => (isSettled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return isSettled;
};

describe('flushed', () => {
  it('waits until a slow reader has taken all that was written', async () => {
    const { stream, taken, takeNext } = slowReader();
    stream.write('first');
    stream.write('second');
    const end = flushed(stream);
    takeNext();
    expect(await settled(end)).toBe(false);
    takeNext();
    await new Promise((resolve) => setImmediate(resolve));
    takeNext();
    await end;
    expect(taken.join(',')).toBe('first,second,');
  });

  it('does not wait for a reader that has gone', async () => {
    const { stream } = slowReader();
    stream.destroy();
    await flushed(stream);
    expect(stream.destroyed).toBe(true);
  });
});

describe('atMost', () => {
  it('ends with the work, whether it succeeds or fails', async () => {
    await atMost(60_000, Promise.resolve());
    await atMost(60_000, Promise.reject(new Error('a connection that could not be closed')));
    expect.assertions(0);
  });

  it('ends without the work when that never ends', async () => {
    const work = new Promise(() => undefined);
    expect(await Promise.race([atMost(1, work).then(() => 'in time'), work])).toBe('in time');
  });
});
