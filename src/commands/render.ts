import type { Job } from '../core/job.js';
import { resolveParameters } from '../core/job-parameters.js';
import type { RenderedText, TemplateStore } from '../core/ports/templates.js';
import { sqlJobValues } from '../core/sql-job.js';
import { storedPathOf, type Work } from '../core/submission.js';

/** The text that would run. @throws UsageError when a parameter is unknown, missing or wrong. */
export function renderJob(templates: TemplateStore, job: Job, overrides: readonly string[]): RenderedText {
  const values = resolveParameters(job.parameters, overrides);
  const own = templates.job(job.template, { ...job.connection, ...values });
  if (job.target === undefined) return own;
  const inside = sqlJobValues(own.text, job.target, { parameters: job.parameters, values }, job.connection);
  return templates.sqlJob({ ...job.connection, ...inside });
}

/** What a job with these parameters hands to Spark. @throws as `renderJob`. */
export function workOf(templates: TemplateStore, job: Job, overrides: readonly string[]): Work {
  const { text, sha256 } = renderJob(templates, job, overrides);
  const file = { name: `${job.name}.py`, sha256, content: new TextEncoder().encode(text) };
  return {
    job: job.name,
    appName: job.appName,
    single: job.single,
    supervise: job.supervise,
    registersItself: true,
    parameters: resolveParameters(job.parameters, overrides),
    resources: job.resources,
    sparkSettings: job.sparkSettings,
    files: [file],
    program: { kind: 'python', address: storedPathOf(file), args: [], jars: [], pyFiles: [] },
  };
}
