import { type Job } from '../core/job.js';
import { resolveParameters } from '../core/job-parameters.js';
import type { RenderedText, TemplateStore } from '../core/ports/templates.js';

/** The text that would run. @throws UsageError when a parameter is unknown or wrong. */
export function renderJob(templates: TemplateStore, job: Job, overrides: readonly string[]): RenderedText {
  return templates.job(job.template, resolveParameters(job.parameters, overrides));
}
