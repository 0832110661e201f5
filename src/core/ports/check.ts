import type { ParameterValues } from '../job-parameters.js';
import type { Job } from '../job.js';
import type { Problem } from '../problem.js';
import type { Source } from '../rendered-lines.js';

/** What folders of jobs gave: those that can be used, and everything that is wrong with the others. */
export interface Catalogue {
  readonly jobs: readonly Job[];
  readonly problems: readonly Problem[];
}

/** Looks into templates without filling them in. */
export interface TemplateInspector {
  /** Everything that would keep the template from being filled in with these values. */
  problems(template: string, values: ParameterValues): Problem[];
  /** The template and all that it takes in, the template first. */
  sources(template: string): Source[];
  /** The statements that a template runs through as `@checks`; none where it does not. */
  checks(template: string): Source[];
}

/** A program or a statement to be looked at. */
export interface CheckedText {
  /** Given back with every problem. */
  readonly id: string;
  readonly kind: 'python' | 'sql';
  readonly text: string;
  /** The names that a statement's parameters have; undefined where that is not for us to say. */
  readonly given?: readonly string[];
}

export interface TextProblem {
  readonly id: string;
  readonly kind: 'python' | 'sql';
  readonly message: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly parameter: string | undefined;
}

/** A check that could not be made. */
export interface SkippedCheck {
  readonly what: 'python' | 'sql' | 'resources';
  readonly why: string;
  readonly nextStep: string;
}

export interface TextReport {
  readonly problems: readonly TextProblem[];
  readonly skipped: readonly SkippedCheck[];
  /** How many SQL texts were given to Spark's parser. */
  readonly statements: number;
  /** False where the parser had to be started without its archive, which takes some seconds; undefined without a parser. */
  readonly isWarm: boolean | undefined;
}

/** Python's own compiler and Spark's own parser. Runs nothing of what it looks at. */
export interface TextChecker {
  /** Never throws for what is missing on this computer: that is in `skipped`. */
  check(texts: readonly CheckedText[], signal: AbortSignal): Promise<TextReport>;
}

/** Reads files of this computer as text. */
export interface TextFiles {
  /** @throws UsageError where it cannot be read. */
  read(path: string): string;
}
