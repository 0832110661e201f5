import { z } from 'zod';
import { RefusedError, UnreachableError } from '../core/errors.js';
import { jsonOf, summaryOf, type HttpAnswer } from '../http/http-call.js';

/** What a call was about, for the message. */
export interface HdfsCall {
  readonly op: string;
  readonly path: string;
}

interface Advice {
  readonly nextStep: string;
  readonly retryable: boolean;
}

const exception = z.object({ RemoteException: z.object({ exception: z.string(), message: z.string() }) });

const starting: Advice = {
  nextStep: 'The NameNode still waits for its blocks; try again in a moment.',
  retryable: true,
};
const noRight: Advice = {
  nextStep: 'Give the user the right, or set HADOOP_USER_NAME to one that has it.',
  retryable: false,
};
const quota: Advice = {
  nextStep: 'Remove what is not needed below the folder, or raise its quota with `hdfs dfsadmin`.',
  retryable: false,
};
const noDataNode: Advice = {
  nextStep:
    'No DataNode is alive or all are full: `cryptopipe stack status` shows it, free disk space is needed too.',
  retryable: true,
};
const otherwise: Advice = {
  nextStep: 'Check the path and its rights: `cryptopipe init` makes the folders.',
  retryable: false,
};

/** By the simple name of the Java class that the NameNode reports (WebHDFS, "Error Responses"). */
const byException: Readonly<Record<string, Advice>> = {
  SafeModeException: starting,
  RetriableException: starting,
  StandbyException: {
    nextStep: 'This NameNode is on standby: set WEBHDFS_URL to the active one, or wait for the failover.',
    retryable: true,
  },
  AccessControlException: noRight,
  AuthorizationException: noRight,
  SecurityException: noRight,
  NSQuotaExceededException: quota,
  DSQuotaExceededException: quota,
  QuotaByStorageTypeExceededException: quota,
  QuotaExceededException: quota,
  AlreadyBeingCreatedException: {
    nextStep: 'Another program writes this file: try again when it has ended.',
    retryable: true,
  },
  FileNotFoundException: { nextStep: 'Look at what is there with `cryptopipe lake ls`.', retryable: false },
};

/** A plain IOException says only in its text that no DataNode takes a block (BlockManager, NamenodeWebHdfsMethods). */
const byText: readonly (readonly [RegExp, Advice])[] = [
  [/could only be (?:written|replicated) to|Failed to find datanode|No space left on device/i, noDataNode],
];

function adviceOf(status: number, name: string, text: string): Advice {
  const known = byException[name] ?? byText.find(([form]) => form.test(text))?.[1];
  if (known !== undefined) return known;
  if (status === 401)
    return {
      nextStep: 'This HDFS wants a login (Kerberos), which cryptopipe does not have.',
      retryable: false,
    };
  return { ...otherwise, retryable: status >= 500 };
}

/**
 * An answer that is not a success: HDFS answered and did not do it, whatever the name of its exception. A 5xx without one is a
 * gateway's, which does not show what HDFS did.
 */
export function hdfsRefusal({ op, path }: HdfsCall, answer: HttpAnswer): UnreachableError {
  const remote = exception.safeParse(jsonOf(answer)).data?.RemoteException;
  const said = remote === undefined ? summaryOf(answer.text) : `${remote.exception}: ${remote.message}`;
  const Kind = remote === undefined && answer.status >= 500 ? UnreachableError : RefusedError;
  return new Kind(
    `HDFS refused ${op} of ${path} (${answer.status}): ${said.split('\n', 1)[0] ?? ''}`,
    adviceOf(answer.status, remote?.exception ?? '', said),
  );
}

/**
 * The JSON of a successful answer in this shape.
 * @throws UnreachableError where something else answers at the address: a proxy's page, half an answer.
 */
export function hdfsResult<T>(schema: z.ZodType<T>, { op, path }: HdfsCall, answer: HttpAnswer): T {
  const parsed = schema.safeParse(jsonOf(answer));
  if (parsed.success) return parsed.data;
  throw new UnreachableError(
    `HDFS answered ${op} of ${path} with ${answer.status}, and not as WebHDFS does: ${summaryOf(answer.text)}`,
    { nextStep: 'Check that WEBHDFS_URL names the HTTP port of the NameNode.' },
  );
}
