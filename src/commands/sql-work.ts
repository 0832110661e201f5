import { resourcesWith, type Job, type JobResources } from '../core/job.js';
import { resolveParameters, type ParameterValues } from '../core/job-parameters.js';
import type { TemplateStore } from '../core/ports/templates.js';
import { parseSettings } from '../core/program-settings.js';
import { sqlJobValues } from '../core/sql-job.js';
import type { SqlTarget } from '../core/sql-output.js';
import { sqlParameters } from '../core/sql-parameters.js';
import { readSqlText } from '../core/sql-text.js';
import type { Work } from '../core/submission.js';
import { workOf } from './render.js';

/** A file of SQL, as a person submits it. */
export interface SqlCall {
  /** As it was typed. */
  readonly file: string;
  readonly text: string;
  /** `name=value` of its `:names` */
  readonly overrides: readonly string[];
  readonly target: SqlTarget;
  readonly resources: Partial<JobResources>;
  /** `name=value` of Spark settings. */
  readonly conf?: readonly string[];
}

/** What the book of runs says of it: the file and where its rows go, and each value under its name in the SQL. */
function bookedOf({ file, target }: SqlCall, values: ParameterValues): ParameterValues {
  const { to, key, partitionBy, overwrite } = target;
  return {
    ...{ file, to },
    ...(key.length === 0 ? {} : { key: key.join(',') }),
    ...(partitionBy.length === 0 ? {} : { partition_by: partitionBy.join(',') }),
    ...(overwrite ? { overwrite } : {}),
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
  };
}

/**
 * What a file of SQL hands to Spark: the shipped job `sql` with this statement.
 * @throws UsageError where a parameter is missing or wrong, or the rows can go nowhere.
 */
export function sqlWork(templates: TemplateStore, job: Job, call: SqlCall): Work {
  const parameters = sqlParameters(readSqlText(call.text), call.overrides);
  const values = resolveParameters(parameters, call.overrides);
  const inside = sqlJobValues(call.text, call.target, { parameters, values }, job.connection);
  const work = workOf(
    templates,
    job,
    Object.entries(inside).map(([name, value]) => `${name}=${value}`),
  );
  return {
    ...work,
    sparkSettings: { ...work.sparkSettings, ...parseSettings(call.conf ?? [], 'python') },
    parameters: bookedOf(call, values),
    resources: resourcesWith(work.resources, call.resources),
  };
}
