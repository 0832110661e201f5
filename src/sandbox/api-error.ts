/** What the exchange answers instead of data. Codes and texts: its errors.md. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly status = 400,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** An error body as the exchange prints it. */
export function errorBody(code: number, message: string): string {
  return JSON.stringify({ code, msg: message });
}

/** An answer: a status and its body, with `Retry-After` where the exchange sends it. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly retryAfterSeconds?: number;
  /** Sent instead of the body, with `Content-Encoding: gzip`. */
  readonly gzip?: Buffer;
}
