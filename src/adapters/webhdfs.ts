import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { z } from 'zod';
import { UnreachableError } from '../core/errors.js';
import type { FileEntry, FileStore } from '../core/ports/files.js';
import { directHttp, type HttpClient } from '../http/http-client.js';
import type { HttpAnswer } from '../http/http-call.js';
import { patientCalls, type Patience } from './patience.js';
import { hdfsRefusal, hdfsResult } from './webhdfs-errors.js';

const nextStep = 'Start it with `cryptopipe stack up`, or set WEBHDFS_URL.';
const fileStatus = z.object({
  pathSuffix: z.string(),
  type: z.enum(['FILE', 'DIRECTORY']),
  length: z.number(),
  modificationTime: z.number(),
});
/** The list of a folder with 100,000 files, or a stored program; a file of the lake is read in ranges. */
const maxBytes = 64 * 1024 * 1024;
const fileStatusAnswer = z.object({ FileStatus: fileStatus });
const folderAnswer = z.object({ FileStatuses: z.object({ FileStatus: z.array(fileStatus) }) });
const summaryAnswer = z.object({ ContentSummary: z.object({ fileCount: z.number(), length: z.number() }) });
const redirection = z.object({ Location: z.url() });
const done = z.object({ boolean: z.boolean() });

interface Operation {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly op: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

function toEntry(path: string, status: z.infer<typeof fileStatus>): FileEntry {
  return {
    path,
    isFolder: status.type === 'DIRECTORY',
    sizeBytes: status.length,
    modifiedAt: status.modificationTime,
  };
}

/**
 * HDFS over WebHDFS (https://hadoop.apache.org/docs/current/hadoop-project-dist/hadoop-hdfs/WebHDFS.html).
 *
 * The NameNode sends data calls on to a DataNode by the name that the DataNode registered, which a caller outside of the
 * cluster's network often cannot resolve; then the NameNode's own host stands in for it, with the DataNode's port.
 */
export function createWebHdfs(options: {
  readonly webUrl: string;
  readonly user: string;
  readonly http?: HttpClient;
  readonly patience?: Patience | undefined;
}): FileStore {
  const { http = directHttp } = options;
  const calls = patientCalls('hdfs', options.patience);
  const system = 'WebHDFS';
  const urlOf = ({ path, op, parameters }: Operation): string => {
    const query = new URLSearchParams({ op, 'user.name': options.user, ...parameters });
    const escaped = path.split('/').map(encodeURIComponent).join('/');
    return `${options.webUrl}/webhdfs/v1${escaped}?${query.toString()}`;
  };
  const ask = async (operation: Operation, signal?: AbortSignal): Promise<HttpAnswer> =>
    http.call({
      system,
      method: operation.method,
      url: urlOf(operation),
      timeoutMs: 10_000,
      maxBytes,
      nextStep,
      signal,
    });
  const askOnce = async <T>(schema: z.ZodType<T>, operation: Operation): Promise<T> => {
    const answer = await ask(operation);
    if (answer.status >= 300) throw hdfsRefusal(operation, answer);
    return hdfsResult(schema, operation, answer);
  };
  const askOk = <T>(schema: z.ZodType<T>, operation: Operation): Promise<T> =>
    calls.repeatable(() => askOnce(schema, operation));
  /** Undefined where there is no such path. */
  const askFor = async <T>(
    schema: z.ZodType<T>,
    operation: Operation,
    signal?: AbortSignal,
  ): Promise<T | undefined> =>
    calls.repeatable(async () => {
      const answer = await ask(operation, signal);
      if (answer.status === 404) return undefined;
      if (answer.status >= 300) throw hdfsRefusal(operation, answer);
      return hdfsResult(schema, operation, answer);
    }, signal);
  const dataNodeUrl = async (operation: Operation): Promise<string> => {
    const answer = await askOnce(redirection, {
      ...operation,
      parameters: { ...operation.parameters, noredirect: 'true' },
    });
    const location = new URL(answer.Location);
    const isKnown = await lookup(location.hostname).then(
      () => true,
      () => false,
    );
    if (!isKnown) location.hostname = new URL(options.webUrl).hostname;
    return location.toString();
  };
  const transfer = (operation: Operation, body?: Uint8Array): Promise<HttpAnswer> =>
    calls.repeatable(() => transferOnce(operation, body));
  const transferOnce = async (operation: Operation, body?: Uint8Array): Promise<HttpAnswer> => {
    const answer = await http.call({
      system: 'The HDFS DataNode',
      method: operation.method,
      url: await dataNodeUrl(operation),
      timeoutMs: 60_000,
      maxBytes,
      nextStep: 'Check that the DataNode runs, and that its HTTP port is reachable from here.',
      ...(body === undefined ? {} : { body, contentType: 'application/octet-stream' }),
    });
    if (answer.status >= 300) throw hdfsRefusal(operation, answer);
    return answer;
  };
  const read: FileStore['read'] = async (path, range) => {
    const parameters =
      range === undefined ? {} : { offset: String(range.offset), length: String(range.length) };
    return (await transfer({ method: 'GET', path, op: 'OPEN', parameters })).bytes;
  };
  const stat: FileStore['stat'] = async (path) => {
    const found = await askFor(fileStatusAnswer, { method: 'GET', path, op: 'GETFILESTATUS' });
    return found && toEntry(path, found.FileStatus);
  };
  return {
    makeFolder: async (path) => {
      await askOk(done, { method: 'PUT', path, op: 'MKDIRS' });
    },
    write: async (path, content) => {
      await transfer({ method: 'PUT', path, op: 'CREATE', parameters: { overwrite: 'true' } }, content);
    },
    read,
    stat,
    sha256: async (path) => {
      if ((await stat(path)) === undefined) return undefined;
      return createHash('sha256')
        .update(await read(path))
        .digest('hex');
    },
    list: async (path, signal) => {
      const listed = await askFor(folderAnswer, { method: 'GET', path, op: 'LISTSTATUS' }, signal);
      return (listed?.FileStatuses.FileStatus ?? [])
        .map((status) =>
          toEntry(
            status.pathSuffix === '' ? path : `${path.replace(/\/$/, '')}/${status.pathSuffix}`,
            status,
          ),
        )
        .sort((left, right) => (left.path < right.path ? -1 : 1));
    },
    summary: async (path) => {
      const found = await askFor(summaryAnswer, { method: 'GET', path, op: 'GETCONTENTSUMMARY' });
      return found && { files: found.ContentSummary.fileCount, sizeBytes: found.ContentSummary.length };
    },
    rename: async (path, to) => {
      // https://hadoop.apache.org/docs/current/hadoop-project-dist/hadoop-hdfs/WebHDFS.html: `false` is no error of its own.
      // Once: a second call after one that was carried out would find nothing to move.
      const renamed = await calls.once(() =>
        askOnce(done, { method: 'PUT', path, op: 'RENAME', parameters: { destination: to } }),
      );
      if (!renamed.boolean)
        throw new UnreachableError(`HDFS did not move ${path} to ${to}`, {
          nextStep: 'The first is missing, or the second is there already: look with `cryptopipe lake ls`.',
          retryable: false,
        });
    },
    remove: async (path) => {
      await askOk(done, { method: 'DELETE', path, op: 'DELETE', parameters: { recursive: 'true' } });
    },
  };
}
