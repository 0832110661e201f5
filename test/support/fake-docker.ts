import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What the first call that has these words in its arguments, one after the other, is answered. */
interface Reply {
  readonly to: string;
  /** Several: one for each such call, the last for all after it. */
  readonly stdout?: string | readonly string[];
  readonly stderr?: string;
  readonly exitCode?: number;
}

interface Recorded {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface FakeDocker {
  /** With the fake on the PATH. */
  readonly env: Record<string, string>;
  readonly dataDir: string;
  /** From now on; the first that fits is taken, and a call that none fits ends well without a word. */
  reply(replies: readonly Reply[]): void;
  calls(): Recorded[];
  /** Of the calls of `docker compose`: what comes after the options that each of them has. */
  composeCalls(): string[];
  remove(): void;
}

const program = `
import { appendFileSync, readFileSync } from 'node:fs';
const args = process.argv.slice(2);
appendFileSync(new URL('calls.jsonl', import.meta.url), JSON.stringify({ args, env: process.env }) + '\\n');
const calls = readFileSync(new URL('calls.jsonl', import.meta.url), 'utf8').trimEnd().split('\\n').map((line) => JSON.parse(line).args);
const replies = JSON.parse(readFileSync(new URL('replies.json', import.meta.url), 'utf8'));
const found = replies.find(({ to }) => args.join(' ').includes(to)) ?? { to: args.join(' ') };
const texts = [found.stdout ?? ''].flat();
const earlier = calls.filter((call) => call.join(' ').includes(found.to)).length - 1;
process.stdout.write(texts[Math.min(earlier, texts.length - 1)]);
process.stderr.write(found.stderr ?? '');
process.exitCode = found.exitCode ?? 0;
`;

/** An engine and a Compose that are new enough. */
const versions: readonly Reply[] = [
  { to: 'compose version', stdout: 'Docker Compose version v2.40.3\n' },
  { to: 'version --format', stdout: '28.2.2\n' },
];

/** A `docker` that remembers how it was called and answers what it is told to. */
export function fakeDocker(): FakeDocker {
  const folder = mkdtempSync(join(tmpdir(), 'fake-docker-'));
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('docker.mjs'), program);
  writeFileSync(path('docker'), `#!/bin/sh\nexec '${process.execPath}' '${path('docker.mjs')}' "$@"\n`);
  chmodSync(path('docker'), 0o755);
  const reply = (replies: readonly Reply[]): void =>
    writeFileSync(path('replies.json'), JSON.stringify([...replies, ...versions]));
  reply([]);
  const calls = (): Recorded[] =>
    (existsSync(path('calls.jsonl')) ? readFileSync(path('calls.jsonl'), 'utf8') : '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Recorded);
  return {
    env: { PATH: `${folder}:${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder },
    dataDir: path('data'),
    reply,
    calls,
    composeCalls: () =>
      calls()
        .map(({ args }) => args.slice(args.indexOf('--env-file') + 2).join(' '))
        .filter((line, at) => calls()[at]?.args.includes('--env-file') === true && line !== ''),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A line of `docker compose ps --format json`. */
export function container(service: string, values: Readonly<Record<string, unknown>> = {}): string {
  const image = 'example/image:1.2.3';
  return `${JSON.stringify({ Service: service, Image: image, State: 'running', Health: 'healthy', ExitCode: 0, Publishers: [], ...values })}\n`;
}
