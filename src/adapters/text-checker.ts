import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { inheritedEnvironment } from '../core/inherited-environment.js';
import type { SkippedCheck, TextChecker, TextReport } from '../core/ports/check.js';

/** Where Python, Java and Spark are on this computer. */
export interface TextCheckerSettings {
  /** The folder of `check_texts.py`. */
  readonly scripts: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly python: string;
  /** Spark's folder, with `jars` in it; undefined where none is installed. */
  readonly sparkHome: string | undefined;
  /** Where the archive of the parser's classes is kept between calls. */
  readonly cacheDir: string;
}

const timeoutMs = 60_000;

const answerSchema = z.object({
  problems: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['python', 'sql']),
      message: z.string(),
      line: z.number().nullish().transform(orUndefined),
      column: z.number().nullish().transform(orUndefined),
      parameter: z.string().nullish().transform(orUndefined),
    }),
  ),
  statements: z.number(),
  parser: z.union([z.object({ archive: z.boolean() }), z.object({ error: z.string() })]).nullable(),
});

function orUndefined<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}

const noSpark: SkippedCheck = {
  what: 'sql',
  why: 'there is no Spark on this computer, and no other parser reads SQL as Spark does',
  nextStep: 'Run `cryptopipe stack install`, or set SPARK_HOME.',
};

const noParser = (error: string): SkippedCheck => ({
  what: 'sql',
  why: `Spark's parser did not start: ${error}`,
  nextStep: 'It needs Java 17 or later: set JAVA_HOME, or put java on the PATH.',
});

const noPython = (why: string): SkippedCheck[] =>
  (['python', 'sql'] as const).map((what) => ({
    what,
    why: `Python did not answer: ${why}`,
    nextStep: 'Run `cryptopipe stack install`, or set CRYPTOPIPE_PYTHON.',
  }));

/** Python's compiler and Spark's parser, through `scripts/check_texts.py`: one process for all texts of a call. */
export function createTextChecker(settings: TextCheckerSettings): TextChecker {
  const { environment, sparkHome } = settings;
  const java = environment['JAVA_HOME'] ? join(environment['JAVA_HOME'], 'bin', 'java') : 'java';
  return {
    check: async (texts, signal): Promise<TextReport> => {
      const nothing = { problems: [], skipped: [], statements: 0, isWarm: undefined };
      if (texts.length === 0) return nothing;
      const request = {
        jars: sparkHome === undefined ? null : join(sparkHome, 'jars'),
        java,
        cache: join(settings.cacheDir, 'spark-parser'),
        texts,
      };
      const result = await execa(settings.python, ['-B', join(settings.scripts, 'check_texts.py')], {
        ...{
          input: JSON.stringify(request),
          env: inheritedEnvironment(environment),
          extendEnv: false,
          reject: false,
        },
        ...{ cancelSignal: signal, timeout: timeoutMs },
      });
      signal.throwIfAborted();
      if (result.failed)
        return {
          ...nothing,
          skipped: noPython(result.timedOut ? 'a minute was not enough' : lastLine(result)),
        };
      const { parser, ...answer } = answerSchema.parse(JSON.parse(result.stdout));
      const error = parser !== null && 'error' in parser ? parser.error : undefined;
      return {
        ...answer,
        skipped: [
          ...(answer.statements > 0 && sparkHome === undefined ? [noSpark] : []),
          ...(error === undefined ? [] : [noParser(error)]),
        ],
        isWarm: parser !== null && 'archive' in parser ? parser.archive : undefined,
      };
    },
  };
}

function lastLine({
  stderr,
  message,
}: {
  readonly stderr: string | undefined;
  readonly message?: string | undefined;
}): string {
  return stderr?.trim().split('\n').at(-1) || (message ?? 'it failed').split('\n', 1)[0] || 'it failed';
}
