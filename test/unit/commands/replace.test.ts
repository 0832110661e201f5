import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/commands/plan.js';
import { replace, type ReplaceOptions } from '../../../src/commands/replace.js';
import { submit } from '../../../src/commands/submit.js';
import { ConfigError, UnreachableError, UsageError } from '../../../src/core/errors.js';
import type { Job } from '../../../src/core/job.js';
import { SubmissionWorld, streaming, workWith } from '../../support/submission-world.js';

const first = '20261123t211500-000001';
const second = '20261123t211500-000002';
const checkpoint = '/checkpoints/streaming';

/** A world where the streaming job runs, with a checkpoint. */
async function running(): Promise<SubmissionWorld> {
  const world = new SubmissionWorld();
  await submit(world.ports, world.options());
  world.files.files.set(`${checkpoint}/hot/offsets/0`, new Uint8Array(1));
  return world;
}

const replacing = (
  world: SubmissionWorld,
  overrides: readonly string[],
  values: Partial<ReplaceOptions> = {},
): Promise<unknown> =>
  replace(world.ports, streaming, {
    ...world.options({ work: workWith(overrides) }),
    ...{ newCheckpoint: false, stopTimeoutMs: 60_000, jobsDir: undefined, ...values },
  });

describe('plan', () => {
  it('shows parameters, settings and both texts against the run that lives, and changes nothing', async () => {
    const world = await running();
    const planned = await plan(
      world.ports,
      streaming,
      world.options({ work: { ...workWith(['hot_interval_ms=1000']), sparkSettings: { 'spark.x': '1' } } }),
    );
    expect(planned).toMatchObject({ running: { runId: first }, isSame: false });
    expect(planned.parameters).toEqual([{ name: 'hot_interval_ms', before: '500', after: '1000' }]);
    expect(planned.settings).toContainEqual({ name: 'spark.x', before: undefined, after: '1' });
    expect(planned.settings).toContainEqual({ name: 'spark.locality.wait', before: '0s', after: undefined });
    expect(planned.settings?.map(({ name }) => name)).not.toContain('spark.app.name');
    expect(planned.text.before).toContain('"hot_interval_ms":500');
    expect(planned.text.after).toContain('"hot_interval_ms":1000');
    expect(planned.checkpoint).toEqual({ kind: 'kept', address: `hdfs://localhost:8020${checkpoint}` });
    expect(world.runIdsPosted()).toEqual([first]);
  });

  it('says that nothing would change, and that a checkpoint belongs to another topic', async () => {
    const world = await running();
    expect(await plan(world.ports, streaming, world.options())).toMatchObject({ isSame: true, settings: [] });
    const other = await plan(world.ports, streaming, world.options({ work: workWith(['topic=other']) }));
    expect(other.checkpoint).toMatchObject({ kind: 'unfit', because: ['topic'] });
  });

  it('knows that nothing runs', async () => {
    const world = new SubmissionWorld();
    expect(await plan(world.ports, streaming, world.options())).toMatchObject({ running: undefined });
  });
});

describe('replace', () => {
  it('ends the old run at a batch boundary before the new one is posted, on the same checkpoint', async () => {
    const world = await running();
    const replaced = await replacing(world, ['hot_interval_ms=1000']);
    expect(replaced).toMatchObject({
      outcome: 'replaced',
      run: { runId: second, state: 'RUNNING', replaces: first },
    });
    expect(world.book.rows.get(first)).toMatchObject({ state: 'FINISHED' });
    expect(world.files.files.has(`${checkpoint}/hot/offsets/0`)).toBe(true);
    expect(world.spark.drivers.map(({ state }) => state)).toEqual(['FINISHED', 'RUNNING']);
  });

  it('moves the checkpoint aside, under the name of the run that had it, for a new one', async () => {
    const world = await running();
    await replacing(world, ['topic=other'], { newCheckpoint: true });
    expect([...world.files.files.keys()]).toContain(`${checkpoint}.until-${first}/hot/offsets/0`);
    expect(world.files.files.has(`${checkpoint}/hot/offsets/0`)).toBe(false);
  });

  it('keeps the supervision of the run that lives, unless something else is said', async () => {
    const world = new SubmissionWorld();
    await submit(world.ports, world.options({ work: { ...workWith([]), supervise: true } }));
    expect(await plan(world.ports, streaming, world.options())).toMatchObject({ isSame: true });
    expect(await plan(world.ports, streaming, { ...world.options(), supervise: false })).toMatchObject({
      settings: [{ name: 'spark.driver.supervise', before: 'true', after: 'false' }],
    });
    const { run } = (await replacing(world, ['hot_interval_ms=1000'])) as { run: { runId: string } };
    expect(world.book.rows.get(run.runId)).toMatchObject({ supervise: true, replaces: first });
  });

  it('says that nothing follows when the old run does not come to its end', async () => {
    const world = await running();
    world.book.requestStop = () => Promise.resolve();
    await expect(replacing(world, ['hot_interval_ms=1000'])).rejects.toThrow();
    expect(world.said.at(-1)).toBe(
      `nothing was started in the place of ${first}: give the same command again`,
    );
  });

  it('leaves a run alone that would not change', async () => {
    const world = await running();
    expect(await replacing(world, [])).toMatchObject({
      outcome: 'nothing to replace',
      run: { runId: first },
    });
    expect(world.book.rows.get(first)).toMatchObject({ state: 'RUNNING', stopRequestedAt: undefined });
  });

  it('stops nothing when the checkpoint would not fit, or the text cannot be stored', async () => {
    const world = await running();
    await expect(replacing(world, ['topic=other'])).rejects.toThrow(ConfigError);
    world.files.store.write = () => Promise.reject(new UnreachableError('HDFS did not answer'));
    await expect(replacing(world, ['hot_interval_ms=1000'])).rejects.toThrow(/did not answer|write/);
    expect(world.book.rows.get(first)).toMatchObject({ state: 'RUNNING', stopRequestedAt: undefined });
  });

  it('starts nothing when the old run does not end in time', async () => {
    const world = await running();
    world.book.requestStop = () => Promise.resolve();
    await expect(replacing(world, ['hot_interval_ms=1000'])).rejects.toThrow(
      /was asked to stop and still is RUNNING/,
    );
    expect(world.spark.posts).toHaveLength(1);
  });

  it('says how to bring the old run back when the new one is refused', async () => {
    const world = await running();
    world.book.change(first, { parameters: { hot_interval_ms: 500, topic: "it's so" } });
    world.spark.onCreate = 'refuse';
    const values = { newCheckpoint: true, jobsDir: '/my jobs' };
    await expect(replacing(world, ['hot_interval_ms=1000'], values)).rejects.toThrow(/refused/);
    expect(world.said.at(-1)).toMatch(
      /starts again by: cryptopipe submit streaming --jobs '\/my jobs' -p hot_interval_ms=500 -p 'topic=it'\\''s so'$/,
    );
  });

  it('submits where nothing runs, after the last checkpoint was moved aside', async () => {
    const world = await running();
    world.spark.drivers[0]!.state = 'KILLED';
    expect(await replacing(world, [], { newCheckpoint: true })).toMatchObject({ outcome: 'submitted' });
    expect([...world.files.files.keys()]).toContain(`${checkpoint}.until-${first}/hot/offsets/0`);
  });

  it('is for jobs of which one run lives, and whose checkpoint lies in HDFS', async () => {
    const world = await running();
    const many: Job = { ...streaming, single: false };
    const options = { ...world.options(), newCheckpoint: false, stopTimeoutMs: 1000, jobsDir: undefined };
    await expect(replace(world.ports, many, options)).rejects.toThrow(UsageError);
    await expect(
      replacing(world, ['checkpoint_path=file:///tmp/x'], { newCheckpoint: true }),
    ).rejects.toThrow(/cannot be moved aside/);
  });
});
