import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { WorkerSize } from '../../src/core/fits-workers.js';

const corpus = resolve(import.meta.dirname, '../fixtures/check-corpus');

export interface Expected {
  readonly problem: string;
  readonly says: string;
  readonly where: { readonly file?: string; readonly line?: number; readonly parameter?: string };
}

export interface CorpusCase {
  /** `bad/sql/keyword_misspelt`. */
  readonly name: string;
  /** A copy of the case's folder in which every placeholder has become a random value. */
  readonly folder: string;
  /** The arguments of `check`, files as paths of the copy. */
  readonly args: readonly string[];
  readonly workers: readonly WorkerSize[];
  /** Undefined for a good case. */
  readonly expected: Expected | undefined;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
let made = 0;
/** Letters without order, the same in every run. */
const random = (length: number, alphabet = letters): string =>
  Array.from(
    createHash('sha512')
      .update(`value ${(made += 1)}`)
      .digest()
      .subarray(0, length),
    (byte) => alphabet[byte % alphabet.length] ?? '',
  ).join('');
const base64Url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What each placeholder stands for: values of the right form that nobody uses. */
const placeholders: Readonly<Record<string, () => string>> = {
  PASSWORD: () => random(14),
  RANDOM40: () => random(40),
  AWSKEY: () => `AKIA${random(16, letters.slice(0, 26))}`,
  GITHUBTOKEN: () => `ghp_${random(36)}`,
  JWT: () => `${base64Url({ alg: 'HS256', typ: 'JWT' })}.${base64Url({ sub: random(12) })}.${random(43)}`,
  PEM: () => `-----BEGIN PRIVATE KEY-----\n${random(64)}\n-----END PRIVATE KEY-----`,
};
const filled = (text: string): string =>
  text.replace(/@([A-Z0-9]+)@/g, (whole, name: string) => placeholders[name]?.() ?? whole);

function filesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesOf(path) : [path];
  });
}

function loadCase(name: string, work: string): CorpusCase {
  const folder = join(work, name);
  cpSync(join(corpus, name), folder, { recursive: true });
  for (const file of filesOf(folder)) writeFileSync(file, filled(readFileSync(file, 'utf8')));
  const read = (file: string): unknown =>
    existsSync(join(folder, file)) ? JSON.parse(readFileSync(join(folder, file), 'utf8')) : undefined;
  const { args = [], workers = [] } = (read('args.json') ?? {}) as {
    args?: string[];
    workers?: WorkerSize[];
  };
  return {
    ...{ name, folder, workers, expected: read('expected.json') as Expected | undefined },
    args: args.map((arg) => (existsSync(join(folder, arg)) ? join(folder, arg) : arg)),
  };
}

/** Every case, copied into a folder of its own below the system's temporary folder. */
export function loadCorpus(): {
  readonly work: string;
  readonly bad: CorpusCase[];
  readonly good: CorpusCase[];
} {
  const work = mkdtempSync(join(tmpdir(), 'cryptopipe-corpus-'));
  const inside = (folder: string): string[] =>
    readdirSync(join(corpus, folder))
      .sort()
      .map((name) => `${folder}/${name}`);
  const load = (name: string): CorpusCase => loadCase(name, work);
  return { work, bad: inside('bad').flatMap(inside).map(load), good: inside('good').map(load) };
}

/** The `/json/` of a master with these workers, on a free port. */
export async function masterWith(): Promise<{ url: string; workers: WorkerSize[]; server: Server }> {
  const workers: WorkerSize[] = [];
  const server = createServer((_request, response) => {
    const lists = { activedrivers: [], completeddrivers: [], activeapps: [], completedapps: [] };
    const said = workers.map(({ cores, memoryMb }, index) => ({
      ...{
        id: `worker-${index}`,
        state: 'ALIVE',
        host: '127.0.0.1',
        webuiaddress: 'http://127.0.0.1:1',
        cores,
        coresfree: cores,
      },
      ...{ memory: memoryMb, memoryfree: memoryMb },
    }));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: 'spark://127.0.0.1:1', status: 'ALIVE', workers: said, ...lists }));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, workers, server };
}
