import { identityOf, membersOf, type ProcessId } from '../../src/stack/process-table.js';

export function idOf({ pid }: { readonly pid: number | undefined }): ProcessId {
  const id = pid === undefined ? undefined : identityOf(pid);
  if (id === undefined) throw new Error(`there is no process ${pid ?? 'without a pid'}`);
  return id;
}

/** The process of a command in the background, beside its supervisor, whose pid is in the reports. */
export function programOf(supervisor: { readonly pid: number | undefined }): ProcessId {
  const [first, ...more] = membersOf(idOf(supervisor)).filter(({ pid }) => pid !== supervisor.pid);
  if (first === undefined || more.length > 0) throw new Error('not one process beside the supervisor');
  return first;
}
