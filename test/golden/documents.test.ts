import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  argumentsOf,
  codeIn,
  commandTree,
  readDocument,
  repository,
  unknownIn,
  writtenByHand,
} from '../support/documents.js';

const documents = ['README.md', 'ARCHITECTURE.md', 'docs/decisions.md', 'docs/adding-a-job.md'];
const scripts = (JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> }).scripts;

/** A path of the repository: it begins with one of its folders, or is one of its files at the top. */
const pathPattern =
  /^(?:(?:src|templates|spark-sql|scripts|test|docs|bench|bin|\.ci)\/[\w./-]*|[A-Z]+\.md|LICENSE|\.env\.example|package\.json|\.dependency-cruiser\.cjs)$/;

describe.each(documents)('%s', (name) => {
  const code = codeIn(writtenByHand(readDocument(name)));

  it('names only files and folders that are there', () => {
    const paths = code.filter((text) => pathPattern.test(text));
    expect(paths.length).toBeGreaterThan(name.startsWith("docs/adding") ? 0 : 5);
    expect(paths.filter((path) => !existsSync(resolve(repository, path)))).toEqual([]);
  });

  it('names only commands and flags that the program has', () => {
    const calls = code
      .map((line) => argumentsOf('cryptopipe', line))
      .filter((words) => words !== undefined && words.length > 0);
    const unknown = calls.flatMap((words = []) =>
      unknownIn(commandTree(), words).map((word) => `cryptopipe ${words.join(' ')}: ${word}`),
    );
    expect(unknown).toEqual([]);
  });

  it('names only scripts that package.json has, with flags that they take', () => {
    for (const [script = '', dashes, ...words] of code.flatMap((line) => [argumentsOf('npm run', line) ?? []])) {
      if (script === '') continue;
      expect(Object.keys(scripts)).toContain(script);
      if (dashes === '--' && script === 'demo') expect(unknownIn(commandTree(), ['demo', ...words])).toEqual([]);
      if (dashes === '--' && script === 'cryptopipe') expect(unknownIn(commandTree(), words)).toEqual([]);
    }
  });

  it('names no path of one computer', () => {
    expect(readDocument(name)).not.toMatch(/\/(?:home|root|Users|work|tmp)\//);
  });
});

describe('the decisions', () => {
  it('are numbered in order, each number once', () => {
    const numbers = [...readDocument('docs/decisions.md').matchAll(/^## (\S+?)\. /gm)].map(([, number]) => Number(number));
    expect(numbers.length).toBeGreaterThan(80);
    expect(numbers).toEqual([...new Set(numbers)].sort((left, right) => left - right));
  });
});

describe('the README', () => {
  it('walks through every command of a day', () => {
    const calls = codeIn(writtenByHand(readDocument('README.md'))).map((line) => argumentsOf('cryptopipe', line)?.[0]);
    const daily = ['stack', 'init', 'sandbox', 'produce', 'submit', 'status', 'verify', 'lake', 'logs', 'stop'];
    expect(daily.filter((command) => !calls.includes(command))).toEqual([]);
  });
});
