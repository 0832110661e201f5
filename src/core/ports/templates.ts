import type { ParameterValues } from '../job-parameters.js';

/** A template with its values filled in; the same template and values always give the same text. */
export interface RenderedText {
  readonly text: string;
  /** Of the text in UTF-8, in lower-case hex: the rendered job's name in the file store. */
  readonly sha256: string;
}

/** The templates of jobs and of single SQL steps. */
export interface TemplateStore {
  /** Of a template's file. @throws ConfigError when it is missing, or uses a name that nothing has. */
  job(template: string, values: ParameterValues): RenderedText;
  /** The shipped job that runs a statement of SQL. */
  sqlJob(values: ParameterValues): RenderedText;
  /** One step of `spark-sql/` alone, as a test of that step needs it. */
  sqlStep(step: string, values: ParameterValues): RenderedText;
}
