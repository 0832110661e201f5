import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from '../../src/cli/context.js';
import { buildProgram } from '../../src/cli/program.js';

export const repository = resolve(import.meta.dirname, '../..');

export const readDocument = (name: string): string => readFileSync(resolve(repository, name), 'utf8');

/** The command tree alone: none of its commands can run. */
export const commandTree = (): Command => buildProgram({} as CliContext, '');

/** A document without what is generated between its markers. */
export const writtenByHand = (document: string): string =>
  document.replace(/<!-- (\w+):begin -->[\s\S]*?<!-- \1:end -->/g, '');

/** Everything that stands as code: the lines of `sh` blocks without their comments, and inline code; no pictures. */
export function codeIn(document: string): string[] {
  const fences = [...document.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
  const inline = document.replace(/^```\w*\n[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g);
  return [
    ...fences.flatMap((block) => block.split('\n').map((line) => line.replace(/\s+#.*$/, ''))),
    ...[...inline].map((match) => match[1] ?? ''),
  ];
}

/** What is typed after `name` in a line of code; undefined where the line does not call it. */
export function argumentsOf(name: string, line: string): string[] | undefined {
  const rest = new RegExp(`(?:^|&& |\\()${name}(?: (.*))?$`).exec(line.trim());
  return rest === null ? undefined : (rest[1] ?? '').split(/\s+|[|&)].*$/).filter((word) => word !== '');
}

/** What of a typed command line the program does not know; empty where it knows all of it. */
export function unknownIn(program: Command, words: readonly string[]): string[] {
  let command = program;
  const rest = [...words];
  for (;;) {
    const inner = command.commands.find((candidate) => candidate.name() === rest[0]);
    if (inner === undefined) break;
    command = inner;
    rest.shift();
  }
  const first = rest[0];
  const isWord = first !== undefined && !first.startsWith('-') && command.registeredArguments.length === 0;
  const known = new Set(['--help', '-h']);
  for (let at: Command | null = command; at !== null; at = at.parent)
    at.options.forEach(({ short, long }) => [short, long].forEach((flag) => flag && known.add(flag)));
  const end = rest.indexOf('--'); // what follows belongs to the program that is submitted
  const own = end < 0 ? rest : rest.slice(0, end);
  const flags = own.filter((word) => word.startsWith('-') && !known.has(word));
  return [...(isWord ? [first] : []), ...flags];
}
