import { expect, it } from 'vitest';
import { submit } from '../../../src/commands/submit.js';
import { streamingWork, SubmissionWorld } from '../../support/submission-world.js';

it('replaces a text whose earlier write broke off', async () => {
  const world = new SubmissionWorld();
  world.files.files.set(streamingWork.program.address, new Uint8Array(3));
  await submit(world.ports, world.options());
  const stored = new TextDecoder().decode(world.files.files.get(streamingWork.program.address));
  expect(stored).toContain('"topic":"crypto_raw"');
});

it('replaces a text of the same size that is not what its name promises', async () => {
  const world = new SubmissionWorld();
  const path = streamingWork.program.address;
  const wanted = streamingWork.files[0]!.content;
  world.files.files.set(path, new Uint8Array(wanted.length));
  await submit(world.ports, world.options());
  expect(world.files.files.get(path)).toEqual(wanted);
});

it('posts nothing where the store gives back another text than it was given', async () => {
  const world = new SubmissionWorld();
  const path = streamingWork.program.address;
  const files = { ...world.files.store, sha256: () => Promise.resolve('e711') };
  await expect(submit({ ...world.ports, files }, world.options())).rejects.toThrow(
    `${path} in HDFS is not what was written there: SHA-256 e711, not `,
  );
  expect(world.spark.posts).toEqual([]);
  expect(await world.book.list({})).toEqual([]);
});

it('writes a text again only where it has changed', async () => {
  const world = new SubmissionWorld();
  await world.files.store.write(streamingWork.program.address, streamingWork.files[0]!.content);
  let writes = 0;
  const files = { ...world.files.store, write: () => Promise.resolve(void (writes += 1)) };
  await submit({ ...world.ports, files }, world.options());
  expect(writes).toBe(0);
});
