import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../fixtures/spark-replies');

/** The HTTP status that each reply file came with, or would come with; SOURCES.md says which of them were recorded. */
const statuses = {
  'another-service.json': 200,
  'bad-gateway.html': 502,
  'create-malformed.json': 400,
  'create-not-alive.json': 200,
  'create-ok.json': 200,
  'create-refused-with-id.json': 200,
  'create-unknown-fields.json': 200,
  'create-without-id.json': 200,
  'create-without-success.json': 200,
  'empty.txt': 200,
  'forbidden.html': 403,
  'kill-not-alive.json': 200,
  'kill-ok.json': 200,
  'kill-unknown-id.json': 200,
  'log-deleted.txt': 200,
  'log-exception.txt': 200,
  'log-half-head.txt': 200,
  'log-stderr-head.txt': 200,
  'log-stdout.txt': 200,
  'login.html': 200,
  'master.json': 200,
  'method-not-allowed.html': 405,
  'not-found.html': 404,
  'number-format.html': 500,
  'readyz-standby.json': 503,
  'readyz.json': 200,
  'status-error.json': 200,
  'status-exception.json': 200,
  'status-failed.json': 200,
  'status-killed.json': 200,
  'status-new-state.json': 200,
  'status-not-alive.json': 200,
  'status-of-another.json': 200,
  'status-running.json': 200,
  'status-submitted.json': 200,
  'status-unknown-id.json': 200,
  'status-without-state.json': 200,
  'unavailable.html': 503,
  'unknown-protocol.json': 468,
} as const;

/** A file of test/fixtures/spark-replies. */
export type ReplyFile = keyof typeof statuses;

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** One reply as it was recorded; `{url}` in it becomes the address of the server that gives it. */
export function replyOf(file: ReplyFile, url: string): Reply {
  return {
    status: statuses[file],
    text: readFileSync(join(folder, file), 'utf8').replaceAll('{url}', url),
  };
}
