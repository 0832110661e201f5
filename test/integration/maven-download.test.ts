import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnreachableError } from '../../src/core/errors.js';
import { fetchJars, jarPath } from '../../src/stack/install/maven.js';
import type { LockedJar } from '../../src/stack/install/lock.js';

const contentOf = (path: string): Buffer => Buffer.from(`content of ${path}\n`.repeat(2000));
const aJar = (name: string): LockedJar => {
  const path = `group/${name}/1/${name}-1.jar`;
  const content = contentOf(`/${path}`);
  return { path, size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
};

let server: Server;
let cacheDir: string;
let asked: string[];
/** What the next requests get instead of the file: a status, or other bytes. */
let answers: (number | string)[];

beforeEach(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), 'maven-download-'));
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    const answer = answers.shift() ?? 200;
    if (answer === 200) response.end(contentOf(url));
    else if (typeof answer === 'number') response.writeHead(answer).end('no');
    else response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(cacheDir, { recursive: true, force: true });
});

const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const fetchAll = (jars: LockedJar[], say: (line: string) => void = () => undefined): Promise<void> =>
  fetchJars(jars, { mavenUrl: address(), cacheDir, say, signal: AbortSignal.timeout(60_000) });
const filesInCache = (): string[] =>
  readdirSync(cacheDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();

describe('fetchJars', () => {
  it('downloads a file again that was changed in the cache, when it is asked to verify', async () => {
    const jars = ['a', 'b'].map(aJar);
    await fetchAll(jars);
    const path = jarPath(cacheDir, jars[0]!);
    writeFileSync(path, 'x'.repeat(jars[0]!.size));
    const download = {
      mavenUrl: address(),
      cacheDir,
      say: () => undefined,
      signal: AbortSignal.timeout(60_000),
    };
    await fetchJars(jars, { ...download, verify: true });
    expect(readFileSync(path)).toEqual(contentOf('/group/a/1/a-1.jar'));
    expect(asked).toEqual(['/group/a/1/a-1.jar', '/group/b/1/b-1.jar', '/group/a/1/a-1.jar']);
  });

  it('stores every file under its path and says how far it is', async () => {
    const jars = ['a', 'b', 'c'].map(aJar);
    const said: string[] = [];
    await fetchAll(jars, (line) => said.push(line));
    expect(readFileSync(jarPath(cacheDir, jars[1]!))).toEqual(contentOf('/group/b/1/b-1.jar'));
    expect(filesInCache()).toEqual(['a-1.jar', 'b-1.jar', 'c-1.jar']);
    expect(said.at(-1)).toMatch(/^jars: 3 of 3 files/);
  });

  it('fetches only what is missing or cut off', async () => {
    const jars = ['a', 'b'].map(aJar);
    await fetchAll(jars);
    writeFileSync(jarPath(cacheDir, jars[1]!), 'cut');
    asked.length = 0;
    await fetchAll(jars);
    expect(asked).toEqual(['/group/b/1/b-1.jar']);
  });

  it('tries again when the server stumbles', async () => {
    answers = [503, 500];
    await fetchAll([aJar('a')]);
    expect(asked).toHaveLength(3);
    expect(filesInCache()).toEqual(['a-1.jar']);
  });

  it('names the address and the setting when a file is not there, without asking again', async () => {
    answers = [404];
    const tried = fetchAll([aJar('a')]);
    await expect(tried).rejects.toThrow(`${address()}/group/a/1/a-1.jar answered 404`);
    await expect(tried).rejects.toMatchObject({
      nextStep: expect.stringContaining('CRYPTOPIPE_MAVEN_URL') as string,
    });
    expect(asked).toHaveLength(1);
  });

  it('keeps nothing that has another checksum', async () => {
    answers = ['x', 'x', 'x', 'x'];
    await expect(fetchAll([aJar('a')])).rejects.toThrow(/has checksum .*, not /);
    expect(filesInCache()).toEqual([]);
  });

  it('names the address when nobody answers', async () => {
    const jars = [aJar('a')];
    const nobody = 'http://127.0.0.1:1';
    const tried = fetchJars(jars, {
      mavenUrl: nobody,
      cacheDir,
      say: () => undefined,
      signal: AbortSignal.timeout(60_000),
    });
    await expect(tried).rejects.toThrow(UnreachableError);
    await expect(tried).rejects.toThrow(`${nobody}/group/a/1/a-1.jar could not be downloaded`);
  });
});
