import { request } from 'node:http';

export interface Call {
  readonly method?: 'GET' | 'PUT' | 'DELETE';
  readonly body?: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
}

/**
 * The answer of one HTTP call as text, redirects followed. @throws Error for any status but a success: the caller asks again.
 *
 * By node:http, since the DataNode says "100 Continue" unasked, which fetch takes for a broken answer.
 */
export function answerOf(url: string, signal: AbortSignal, call: Call = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = call.token === undefined ? {} : { authorization: `Bearer ${call.token}` };
    const sent = request(url, { method: call.method ?? 'GET', headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        if (status === 307 && headers.location !== undefined) {
          resolve(answerOf(headers.location, signal, call));
        } else if (status < 200 || status > 299) reject(new Error(`${url} answered ${status}`));
        else resolve(Buffer.concat(chunks).toString('utf8'));
      });
    });
    sent.on('error', reject);
    sent.end(call.body);
  });
}
