import { request } from 'node:http';
import type { GeneratedTapeChoice, RunningSandbox, SandboxOptions } from '../../src/core/ports/sandbox.js';
import { startSandbox } from '../../src/sandbox/start-sandbox.js';

const started: RunningSandbox[] = [];

/** 2024-08-08T23:50:00Z: a begin that tests can reckon with. */
export const BEGIN = Date.UTC(2024, 7, 8, 23, 50);

export const aGeneratedChoice = (overrides: Partial<GeneratedTapeChoice> = {}): GeneratedTapeChoice => ({
  kind: 'generated',
  symbols: ['BTCUSDT'],
  seed: '1',
  ratePerSecond: 2,
  begin: { time: BEGIN },
  ...overrides,
});

/** A sandbox on a free port; `stopSandboxes` ends it. */
export async function aSandbox(overrides: Partial<SandboxOptions> = {}): Promise<RunningSandbox> {
  const running = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    tape: aGeneratedChoice(),
    klineFiles: [],
    hasRequestLimit: true,
    onBug: (error) => {
      throw error;
    },
    ...overrides,
  });
  started.push(running);
  return running;
}

export async function stopSandboxes(): Promise<void> {
  await Promise.all(started.splice(0).map((running) => running.close()));
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One GET of a path, with the headers as they came. */
export function get(base: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(`${base}${path}`, { headers, timeout: 10_000 }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString('utf8'),
        }),
      );
    });
    call.on('timeout', () => call.destroy(new Error(`no answer from ${path}`)));
    call.on('error', reject);
    call.end();
  });
}

export async function getJson<T>(
  base: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<T> {
  return JSON.parse((await get(base, path, headers)).text) as T;
}

/** An aggregate trade as REST answers it. */
export interface TradeRow {
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f: number;
  readonly l: number;
  readonly T: number;
  readonly m: boolean;
  readonly M: boolean;
}

/** A kline as REST answers it. */
export type KlineRow = readonly [
  number,
  string,
  string,
  string,
  string,
  string,
  number,
  string,
  number,
  string,
  string,
  string,
];
