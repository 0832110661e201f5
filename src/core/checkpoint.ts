import type { JobCheckpoint } from './job.js';
import type { ParameterValues } from './job-parameters.js';

/** What a new run finds where it looks for its progress. `unfit`: the progress of something else. */
export type CheckpointFate =
  | { readonly kind: 'none' }
  | { readonly kind: 'kept' | 'another'; readonly address: string }
  | { readonly kind: 'unfit'; readonly address: string; readonly because: readonly string[] };

/**
 * What becomes of a checkpoint when a run takes the place of another: kept where the address stays, unfit where it stays
 * though it belongs to other values (another topic), another where the address changes.
 */
export function checkpointFate(
  checkpoint: JobCheckpoint | undefined,
  before: ParameterValues,
  after: ParameterValues,
): CheckpointFate {
  if (checkpoint === undefined) return { kind: 'none' };
  const address = String(after[checkpoint.parameter]);
  if (before[checkpoint.parameter] !== after[checkpoint.parameter]) return { kind: 'another', address };
  const because = checkpoint.belongsTo.filter((name) => before[name] !== after[name]);
  return because.length === 0 ? { kind: 'kept', address } : { kind: 'unfit', address, because };
}
