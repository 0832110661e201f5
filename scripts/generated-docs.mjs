// The parts of the documents that are made from the program: usage, settings table, .env.example. Pure: texts in, texts out.

const helpWidth = 100;

/** A command and everything below it, in the order of the help. */
function flatten(command) {
  return [command, ...command.commands.flatMap(flatten)];
}

/** `cryptopipe stack up`: the words that a person types. */
function pathOf(command) {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** What `--help` prints, at a width of its own, so that nobody's terminal is in the text. */
function helpOf(command) {
  let text = '';
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => helpWidth,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd().replace(/[ \t]+$/gm, '');
}

const fenced = (text) => `\`\`\`text\n${text}\n\`\`\``;

const folded = (command) =>
  `<details>\n<summary><code>${pathOf(command)}</code></summary>\n\n${fenced(helpOf(command))}\n\n</details>`;

/** The help of the whole program, then of each command, folded. */
export function usageOf(program) {
  const [root, ...others] = flatten(program);
  return [fenced(helpOf(root)), ...others.map(folded)].join('\n\n');
}

/** True where a shown default is a value that could be typed, and not a description of one. */
const isValue = (shown) => /^[^\s$]+$/.test(shown);

const rowOf = ({ name, meaning, shown, isSecret }) => [
  `\`${name}\``,
  isSecret === true ? `${meaning}; or \`${name}_FILE\`, a file that holds it` : meaning,
  isValue(shown) ? `\`${shown}\`` : shown,
];

/** A table for Markdown, its columns padded as Prettier wants them. */
function tableOf(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [head, ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** The settings as a table. */
export function settingsTable(settings) {
  return tableOf([['name', 'meaning', 'default'], ...settings.map(rowOf)]);
}

/** Every situation of a run: what it means and what to do. */
export function situationsTable(situations) {
  const rows = Object.entries(situations).map(([name, { meaning, isHealthy, whatToDo }]) => [
    `\`${name}\``,
    isHealthy ? 'yes' : '**no**',
    meaning,
    whatToDo,
  ]);
  return tableOf([['how it is', 'well', 'that means', 'what to do'], ...rows]);
}

/** Spark's states of a driver: what each means, and what becomes of a run whose job has said nothing of its end. */
export function driverStatesTable(driverMeanings) {
  const rows = Object.entries(driverMeanings).map(([state, { meaning, isFinal, runState }]) => [
    `\`${state}\``,
    meaning,
    isFinal ? `\`${runState}\`` : 'it lives',
  ]);
  return tableOf([['driver', 'that means', 'the run'], ...rows]);
}

const exampleHead = `# Copy this file to .env and take the # away from what you change. A flag and the environment stand above it.
# It is read as Docker Compose reads it: a # after a space begins a comment, $NAME is a variable, $$ a dollar sign. A misspelt name is an error. Made from src/core/settings.ts by \`npm run docs\`.
`;

const exampleOf = ({ name, meaning, shown, isSecret }) =>
  [
    '',
    `# ${meaning} (default: ${shown})`,
    `#${name}=${isValue(shown) ? shown : ''}`,
    ...(isSecret === true ? [`#${name}_FILE=`] : []),
    '',
  ].join('\n');

/** The text of .env.example: every setting, all of them commented out. */
export function envExample(settings) {
  return exampleHead + settings.map(exampleOf).join('');
}

/** The text between a pair of markers. @throws Error where the pair is not there. */
export function betweenMarkers(document, name) {
  const [begin, end] = [`<!-- ${name}:begin -->\n\n`, `\n\n<!-- ${name}:end -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`the markers ${name}:begin and ${name}:end are not there`);
  return { text: document.slice(from + begin.length, to), from: from + begin.length, to };
}

/** The document with another text between a pair of markers. */
export function replaceBetweenMarkers(document, name, text) {
  const { from, to } = betweenMarkers(document, name);
  return document.slice(0, from) + text + document.slice(to);
}
