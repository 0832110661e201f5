import { z } from 'zod';
import { RefusedError, UnreachableError } from '../core/errors.js';
import type { DriverReport, SubmissionRequest } from '../core/ports/spark.js';
import { patientCalls, type PatientCalls } from './patience.js';
import { nextStepOfForbidden, openAccess, type RestAccess } from './rest-access.js';
import { directHttp, type HttpClient } from '../http/http-client.js';
import { isHalfJson, jsonOf, summaryOf, type HttpAnswer } from '../http/http-call.js';
import { wasNeverSent } from '../http/failure.js';

const system = "Spark's REST server";
const nextStep = 'Start it with `cryptopipe stack up`, or set SPARK_REST_URL.';
const defaultTimeoutMs = 10_000;
/** The longest real answer is the stack trace of a driver that could not be started. */
const maxBytes = 1024 * 1024;

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const answerSchema = z.object({
  action: z.string(),
  success: z.boolean().nullish(),
  message: text,
  submissionId: text,
  driverState: text,
  workerId: text,
  workerHostPort: text,
  unknownFields: z.array(z.string()).nullish(),
});

type Answer = z.infer<typeof answerSchema>;

/** One call of the protocol and the `action` of its answer (org.apache.spark.deploy.rest.SubmitRestProtocolResponse). */
interface Call {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly answers: 'CreateSubmissionResponse' | 'SubmissionStatusResponse' | 'KillSubmissionResponse';
  readonly body?: string;
}

/** What was asked of whom, for what is said about the answer. */
interface Asked {
  readonly url: string;
  readonly expected: Call['answers'];
  /** What to do about a 403. */
  readonly forbidden: string;
}

const firstLine = (message: string): string => message.split('\n', 1)[0] ?? '';

/** Below 500 the server has looked at the request and said no; above, it may have acted before it failed. */
const refusalOf = (status: number): typeof UnreachableError =>
  status >= 400 && status < 500 ? RefusedError : UnreachableError;

/** For answers that are none of the protocol: Jetty's pages on a refused token or an unknown action, and what proxies say. */
function noAnswer(answer: HttpAnswer, { url, forbidden }: Asked): UnreachableError {
  const what = isHalfJson(answer) ? 'half an answer' : 'no JSON';
  return new (refusalOf(answer.status))(
    `${system} at ${url} answered ${answer.status} and ${what}: ${summaryOf(answer.text)}`,
    {
      nextStep:
        answer.status === 403
          ? forbidden
          : `Check that SPARK_REST_URL names Spark's REST port (6066), not its web page.`,
      retryable: answer.status >= 500 || isHalfJson(answer),
    },
  );
}

function parseAnswer(answer: HttpAnswer, asked: Asked): Answer {
  const { url, expected } = asked;
  const { data } = answerSchema.safeParse(jsonOf(answer));
  if (data === undefined) throw noAnswer(answer, asked);
  if (data.action === 'ErrorResponse')
    throw new (refusalOf(answer.status))(
      `${system} at ${url} refused (${answer.status}): ${firstLine(data.message ?? '')}`,
      {
        nextStep: 'Compare `cryptopipe submit --dry-run` with what this Spark version takes.',
        retryable: answer.status >= 500,
      },
    );
  if (answer.status !== 200 || data.action !== expected)
    throw new UnreachableError(
      `${system} at ${url} answered ${answer.status} with ${data.action} where ${expected} was due`,
      { nextStep: 'Check what answers at SPARK_REST_URL.', retryable: false },
    );
  if ((data.unknownFields ?? []).length > 0)
    throw new UnreachableError(
      `${system} at ${url} does not know ${data.unknownFields?.join(', ') ?? ''}, and may have left that out`,
      { nextStep: 'Use the Spark version that cryptopipe is made for.', retryable: false },
    );
  return data;
}

/** A master that is not the leader answers in the same form as one that does not know an id. */
function requireLeader(answer: Answer): void {
  if (answer.success !== true && /not alive/i.test(answer.message ?? ''))
    throw new UnreachableError(`The Spark master is not active: ${firstLine(answer.message ?? '')}`, {
      nextStep: 'Try again when `cryptopipe status` shows it ALIVE.',
    });
}

const unclear = (what: string, answer: Answer): UnreachableError =>
  new UnreachableError(
    `${system} does not say ${what}${answer.message === undefined ? '' : `: ${answer.message.replace(/\s+/g, ' ').slice(0, 300)}`}`,
    { nextStep: 'Look at the log of the Spark master, then try again.' },
  );

function submissionIdOf(answer: Answer): string {
  if (answer.success === true && answer.submissionId !== undefined) return answer.submissionId;
  if (answer.success === false && answer.submissionId === undefined)
    throw new RefusedError(`Spark refused the submission: ${answer.message ?? 'it did not say why'}`, {
      nextStep: 'Look at the master: `cryptopipe status`.',
    });
  throw unclear('whether it took the submission', answer);
}

/** An unknown id is `success: false` and nothing else: a master in trouble says the same with a message. */
function reportOf(submissionId: string, answer: Answer): DriverReport {
  requireLeader(answer);
  const { driverState, workerId, workerHostPort, message } = answer;
  const isKnown = answer.success === true && driverState !== undefined;
  const isGone = answer.success === false && driverState === undefined && message === undefined;
  const isOther = answer.submissionId !== undefined && answer.submissionId !== submissionId;
  if (isOther || !(isKnown || isGone)) throw unclear(`what became of ${submissionId}`, answer);
  return { submissionId, driverState, workerId, workerHostPort, message };
}

const single = patientCalls('spark', undefined);

interface RestOptions {
  /** Of one call. */
  readonly timeoutMs?: number | undefined;
  readonly access?: RestAccess | undefined;
  readonly http?: HttpClient | undefined;
  readonly calls?: PatientCalls;
}

/** The REST submission protocol v1 (org.apache.spark.deploy.rest). HTTP 200 alone is never success. */
export function createSparkRest(
  restUrl: string,
  { timeoutMs = defaultTimeoutMs, access = openAccess, http = directHttp, calls = single }: RestOptions = {},
) {
  const ask = (
    path: string,
    options: Partial<Call>,
    token?: string,
    signal?: AbortSignal,
  ): Promise<HttpAnswer> =>
    http.call({
      ...{ system, nextStep, timeoutMs, maxBytes, signal, token },
      url: `${restUrl}/v1/submissions/${path}`,
      method: options.method ?? 'GET',
      ...(options.body === undefined
        ? {}
        : { body: options.body, contentType: 'application/json;charset=utf-8' }),
    });
  const call = async (options: Call, signal?: AbortSignal): Promise<Answer> => {
    const token = access.token();
    const answer = await ask(options.path, options, token, signal);
    const forbidden = nextStepOfForbidden(token !== undefined, access);
    return parseAnswer(answer, { url: restUrl, expected: options.answers, forbidden });
  };
  return {
    create: async (request: SubmissionRequest, signal?: AbortSignal): Promise<string> => {
      const body = JSON.stringify(request);
      // Made once: after the time of one POST another call may give this run up and post its own.
      const answer = await call(
        { path: 'create', method: 'POST', body, answers: 'CreateSubmissionResponse' },
        signal,
      ).catch((error: unknown) => {
        if (!wasNeverSent(error) || !(error instanceof UnreachableError)) throw error;
        throw new RefusedError(error.message, { nextStep, cause: error });
      });
      return submissionIdOf(answer);
    },
    driver: async (submissionId: string, signal?: AbortSignal): Promise<DriverReport> => {
      const path = `status/${encodeURIComponent(submissionId)}`;
      return calls.repeatable(
        async () =>
          reportOf(
            submissionId,
            await call({ path, method: 'GET', answers: 'SubmissionStatusResponse' }, signal),
          ),
        signal,
      );
    },
    kill: async (submissionId: string, signal?: AbortSignal): Promise<boolean> => {
      const path = `kill/${encodeURIComponent(submissionId)}`;
      return calls.repeatable(async () => {
        const answer = await call({ path, method: 'POST', answers: 'KillSubmissionResponse' }, signal);
        requireLeader(answer);
        if (typeof answer.success !== 'boolean') throw unclear(`whether it ends ${submissionId}`, answer);
        return answer.success;
      }, signal);
    },
    /** Answers 503 with an ErrorResponse while the master is no leader. */
    isReady: async (signal?: AbortSignal): Promise<boolean> => {
      const answer = await ask('readyz', {}, access.token(), signal);
      return answer.status === 200 && answerSchema.safeParse(jsonOf(answer)).data?.success === true;
    },
  };
}
