import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isFullTag } from './rules.js';

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** Its instructions in order, each on one line. */
function instructionsOf(text: string): Instruction[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [word = '', ...rest] = line.trim().split(/\s+/);
      return { word, rest: rest.join(' ') };
    });
}

/** The folders and files that an ignore file of the form "nothing, but these" lets through. */
const sentToBuilder = (ignore: string): string[] =>
  ignore
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));

function copyProblems(
  root: string,
  rest: string,
  stages: readonly string[],
  sent: readonly string[],
): string[] {
  const words = rest.split(' ');
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  if (from !== undefined) return stages.includes(from) ? [] : [`copies from ${from}, which is no stage`];
  return words
    .filter((word) => !word.startsWith('--'))
    .slice(0, -1)
    .flatMap((source) => {
      if (!existsSync(join(root, source))) return [`copies ${source}, which is not there`];
      const isSent =
        source === '.' || sent.some((entry) => source === entry || source.startsWith(`${entry}/`));
      return isSent ? [] : [`copies ${source}, which is not sent to the builder`];
    });
}

/** The files and folders that the last stage copies from the checkout, where they end up. */
function copiedTargets(root: string, instructions: readonly Instruction[]): string[] {
  return instructions
    .filter(({ word, rest }) => word === 'COPY' && !rest.includes('--from='))
    .flatMap(({ rest }) => {
      const words = rest.split(' ').filter((one) => !one.startsWith('--'));
      const target = words.at(-1) ?? '';
      return words
        .slice(0, -1)
        .map((source) =>
          target.endsWith('/') && statSync(join(root, source)).isFile()
            ? `${target}${basename(source)}`
            : target.replace(/\/$/, ''),
        );
    });
}

/** A checkout keeps the modes of its umask; the user of the image may not read what is 0600. What lies in /tmp is root's and removed. */
function unreadable(root: string, instructions: readonly Instruction[]): string[] {
  const opened = instructions
    .filter(({ word }) => word === 'RUN')
    .flatMap(({ rest }) => /chmod -R a\+rX ([^&;|]+)/.exec(rest)?.[1]?.trim().split(/\s+/) ?? []);
  return copiedTargets(root, instructions)
    .filter((path) => !path.startsWith('/tmp/') && !opened.includes(path))
    .map((path) => `leaves ${path} with the mode of the checkout`);
}

/** The builder without the buildx plugin, which Compose falls back to, refuses these. */
const ofBuildKitOnly = (instructions: readonly Instruction[]): string[] =>
  instructions
    .filter(
      ({ word, rest }) =>
        (word === 'RUN' && /--(mount|network|security)=|^<</.test(rest)) ||
        (/^(COPY|ADD)$/.test(word) && /--(chmod|link|parents|exclude)\b/.test(rest)),
    )
    .map(({ word, rest }) => `${word} ${rest.split(' ')[0] ?? ''} needs BuildKit`);

/** A line for each thing that is not as it should be; beside what hadolint says. `root` is the build context. */
export function dockerfileProblems(root: string, text: string, ignore: string): string[] {
  const instructions = instructionsOf(text);
  const of = (word: string): string[] =>
    instructions.filter((one) => one.word === word).map(({ rest }) => rest);
  const stages = of('FROM').map((rest) => / AS (\S+)$/.exec(rest)?.[1] ?? '');
  const last = instructions.slice(instructions.map(({ word }) => word).lastIndexOf('FROM'));
  const user = last.filter(({ word }) => word === 'USER').at(-1)?.rest;
  const scripts = of('RUN').flatMap((rest) => rest.match(/\bdocker\/\S+/g) ?? []);
  return [
    ...of('FROM')
      .map((rest) => rest.split(' ')[0] ?? '')
      .filter((image) => !isFullTag(image))
      .map((image) => `${image} has no full version tag`),
    ...of('COPY').flatMap((rest) => copyProblems(root, rest, stages, sentToBuilder(ignore))),
    ...scripts
      .filter((script) => !existsSync(join(root, script)))
      .map((script) => `runs ${script}, which is not there`),
    ...ofBuildKitOnly(instructions),
    ...unreadable(root, last),
    ...(user === undefined ? ['names no user'] : []),
    ...(user !== undefined && /^(root|0)(:|$)/.test(user) ? ['ends as root'] : []),
  ];
}
