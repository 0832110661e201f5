import { live } from './live.js';
import type { Measure } from './report.js';
import { counted, registeredAt } from './streaming.js';
import type { World } from './world.js';

/** From the start of `submit` until its first trades are in PostgreSQL. */
export async function measureSubmit(world: World): Promise<Measure[]> {
  const { runId, submittedAt } = await live(world);
  const [first] = await counted(world, runId, 1);
  const registered = await registeredAt(world, runId);
  return [
    {
      bench: 'submit',
      what: 'submit to the first committed batch',
      value: ((first?.committedAt ?? Number.NaN) - submittedAt) / 1000,
      unit: 's',
      goal: 'under 30',
      note: `200 trades/s live; registered after ${((registered - submittedAt) / 1000).toFixed(1)} s; the first batch had ${first?.counted ?? 0} trades`,
    },
  ];
}
