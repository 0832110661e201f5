import { z } from 'zod';
import { RefusedError, UnreachableError } from '../core/errors.js';
import type { DriverReport, SubmissionRequest } from '../core/ports/spark.js';
import { callHttp, summaryOf, wasNeverSent, type HttpAnswer } from './http.js';

const system = "Spark's REST server";
const nextStep = 'Start it with `cryptopipe stack up`, or set SPARK_REST_URL.';
const timeoutMs = 10_000;

const answerSchema = z.object({
  action: z.string(),
  success: z.boolean().optional(),
  message: z.string().optional(),
  submissionId: z.string().optional(),
  driverState: z.string().optional(),
  workerId: z.string().optional(),
  workerHostPort: z.string().optional(),
  unknownFields: z.array(z.string()).optional(),
});

type Answer = z.infer<typeof answerSchema>;

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

function toJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Answers that are no JSON exist (Jetty's pages on a refused token or an unknown action), whatever their content type. */
function parseAnswer(answer: HttpAnswer, url: string): Answer {
  const parsed = answerSchema.safeParse(toJson(answer.text));
  // Below 500 the server has looked at the request and said no; above, it may have acted before it failed.
  const Refusal = answer.status >= 400 && answer.status < 500 ? RefusedError : UnreachableError;
  if (!parsed.success)
    throw new Refusal(
      `${system} at ${url} answered ${answer.status} and no JSON: ${summaryOf(answer.text)}`,
      {
        nextStep:
          answer.status === 403
            ? 'The server wants a token; see spark.master.rest.filters in its configuration.'
            : `Check that SPARK_REST_URL names Spark's REST port (6066), not its web page.`,
        retryable: answer.status >= 500,
      },
    );
  if (parsed.data.action === 'ErrorResponse')
    throw new Refusal(
      `${system} at ${url} refused (${answer.status}): ${firstLine(parsed.data.message ?? '')}`,
      { nextStep: 'Compare `cryptopipe submit --dry-run` with what this Spark version takes.' },
    );
  if ((parsed.data.unknownFields ?? []).length > 0)
    throw new UnreachableError(
      `${system} at ${url} does not know ${parsed.data.unknownFields?.join(', ') ?? ''}, and may have left that out`,
      { nextStep: 'Use the Spark version that cryptopipe is made for.', retryable: false },
    );
  return parsed.data;
}

/** The REST submission protocol v1 (org.apache.spark.deploy.rest). HTTP 200 alone is never success. */
export function createSparkRest(restUrl: string) {
  const call = async (
    action: string,
    options: {
      readonly body?: string;
      readonly method?: 'GET' | 'POST';
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<Answer> => {
    const answer = await callHttp({
      ...{ system, nextStep, timeoutMs },
      ...options,
      url: `${restUrl}/v1/submissions/${action}`,
      ...(options.body === undefined ? {} : { contentType: 'application/json;charset=utf-8' }),
    });
    return parseAnswer(answer, restUrl);
  };
  return {
    create: async (request: SubmissionRequest, signal?: AbortSignal): Promise<string> => {
      const answer = await call('create', { method: 'POST', body: JSON.stringify(request), signal }).catch(
        (error: unknown) => {
          if (!wasNeverSent(error) || !(error instanceof UnreachableError)) throw error;
          throw new RefusedError(error.message, { nextStep, cause: error });
        },
      );
      if (answer.success === true && answer.submissionId !== undefined) return answer.submissionId;
      throw new RefusedError(`Spark refused the submission: ${answer.message ?? 'it did not say why'}`, {
        nextStep: 'Look at the master: `cryptopipe status`.',
      });
    },
    driver: async (submissionId: string, signal?: AbortSignal): Promise<DriverReport> => {
      const answer = await call(`status/${encodeURIComponent(submissionId)}`, { signal });
      // A master that is not the leader answers in the same form as one that does not know the id.
      if (answer.success !== true && /not alive/i.test(answer.message ?? ''))
        throw new UnreachableError(`The Spark master is not active: ${answer.message ?? ''}`, { nextStep });
      return {
        submissionId,
        driverState: answer.driverState,
        workerId: answer.workerId,
        workerHostPort: answer.workerHostPort,
        message: answer.message,
      };
    },
    kill: async (submissionId: string, signal?: AbortSignal): Promise<boolean> => {
      const answer = await call(`kill/${encodeURIComponent(submissionId)}`, { method: 'POST', signal });
      return answer.success === true;
    },
    /** Answers 503 with an ErrorResponse while the master is no leader. */
    isReady: async (signal?: AbortSignal): Promise<boolean> => {
      const answer = await callHttp({
        system,
        nextStep,
        timeoutMs,
        signal,
        url: `${restUrl}/v1/submissions/readyz`,
      });
      return answer.status === 200 && answerSchema.safeParse(toJson(answer.text)).data?.success === true;
    },
  };
}
