import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobRun } from '../../src/core/ports/runs.js';
import { aPipeline, eventually, type Pipeline } from '../support/pipeline.js';
import { ticksFrom } from '../support/ticks.js';

let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await aPipeline('failing');
  // The lake query can still book its batches, the hot query cannot.
  await pipeline.rows("ALTER TABLE crypto.batches ADD CONSTRAINT only_the_lake CHECK (query = 'lake')");
  await pipeline.app.sink.open();
  await pipeline.app.sink.send(ticksFrom(1, 50));
});
afterAll(() => pipeline.close());

it('ends the run with its reason when the hot query fails and the lake query would go on', async () => {
  const places = Object.entries(pipeline.parameters).flatMap(([name, value]) => ['-p', `${name}=${value}`]);
  // It may fail before `submit` has seen it run.
  await pipeline.run(['submit', 'streaming', '--no-supervise', ...places], { exitCodes: [0, 5] });
  const run = await eventually<JobRun>('the end of the run', async () => {
    const [found] = await pipeline.app.book.list({ job: 'streaming' });
    return found?.endedAt === undefined ? undefined : found;
  });
  expect(run.state).toBe('FAILED');
  expect(run.error).toContain('only_the_lake');
  expect(await pipeline.rows('SELECT count(*)::int AS trades FROM crypto.crypto_prices_clean')).toEqual([
    { trades: 0 },
  ]);
});
