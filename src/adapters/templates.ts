import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Handlebars from 'handlebars';
import { ConfigError } from '../core/errors.js';
import type { ParameterValues } from '../core/job-parameters.js';
import type { RenderedText, TemplateStore } from '../core/ports/templates.js';

/**
 * A Python literal: JSON's form of a text is one in Python too, except that Python wants no lone surrogate halves. A text of
 * several lines stays readable: one literal a line, which Python joins.
 */
function pythonLiteral(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') {
    const lines = value.split(/(?<=\n)/).map((line) => JSON.stringify(line));
    return lines.length < 2 ? JSON.stringify(value) : `(\n${lines.map((line) => `    ${line}\n`).join('')})`;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw new TypeError(`{{py}} takes a text, a finite number or a boolean, not ${String(value)}`);
}

/** A name in SQL, each part in backticks as Spark quotes; `schema.table` is two parts. */
function quotedIdentifier(value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(value))
    throw new TypeError(`{{ident}} takes a plain SQL name, not ${JSON.stringify(value)}`);
  return value
    .split('.')
    .map((part) => `\`${part}\``)
    .join('.');
}

/** What a template may call beside Handlebars' own blocks. */
export const templateHelpers = { py: pythonLiteral, ident: quotedIdentifier } as const;

const compileOptions: Parameters<typeof Handlebars.compile>[1] = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries(Object.keys(templateHelpers).map((name) => [name, true])),
};

function filesIn(folder: string, prefix: string, suffix: string): [string, string][] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith(suffix));
  return files.map((file) => [`${prefix}/${basename(file, suffix)}`, join(folder, file)]);
}

/** The files that any template may take in, by the names it does so with. */
export function sharedFiles(root: string): ReadonlyMap<string, string> {
  return new Map([
    ...filesIn(join(root, 'templates', 'partials'), 'py', '.py.hbs'),
    ...filesIn(join(root, 'spark-sql'), 'sql', '.sql.hbs'),
  ]);
}

/** The files of the checks, by name. A name that is there twice would hide one of the two. @throws ConfigError then. */
export function checkFiles(root: string, folders: readonly string[]): ReadonlyMap<string, string> {
  const suffix = '.sql.hbs';
  const checks = new Map<string, string>();
  for (const folder of [join(root, 'spark-sql', 'checks'), ...folders].filter((path) => existsSync(path)))
    for (const file of readdirSync(folder)
      .filter((name) => name.endsWith(suffix))
      .sort()) {
      const name = basename(file, suffix);
      if (checks.has(name) || !/^[a-z][a-z0-9_]*$/.test(name))
        throw new ConfigError(`${join(folder, file)}: a check ${name} is there already, or that is no name`, {
          nextStep: 'Name it in lower case with underscores, as no other check is named.',
        });
      checks.set(name, join(folder, file));
    }
  return checks;
}

function rendered(text: string): RenderedText {
  return { text, sha256: createHash('sha256').update(text).digest('hex') };
}

/**
 * Templates filled in by Handlebars. Any of them may take in what is shared: `<root>/templates/partials` as `py/…` and
 * `<root>/spark-sql` as `sql/…`; those files are read on first use. `{{#each @checks}}` gives `name` and `text` of every check
 * of the data: those of `<root>/spark-sql/checks` and of further folders.
 */
export function createTemplateStore(root: string, checkFolders: readonly string[] = []): TemplateStore {
  let engine: typeof Handlebars | undefined;
  const load = (): typeof Handlebars => {
    if (engine !== undefined) return engine;
    engine = Handlebars.create();
    engine.registerHelper(templateHelpers);
    for (const [name, path] of sharedFiles(root)) engine.registerPartial(name, readFileSync(path, 'utf8'));
    return engine;
  };
  const checks = (): { readonly name: string; readonly text: string }[] =>
    [...checkFiles(root, checkFolders)].map(([name, path]) => ({
      name,
      text: readFileSync(path, 'utf8').trimEnd(),
    }));
  const render = (path: string, values: ParameterValues): string => {
    const file = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
    if (!existsSync(path)) throw new ConfigError(`There is no template ${file}`);
    try {
      return load().compile(readFileSync(path, 'utf8'), compileOptions)(values, {
        data: { checks: checks() },
      });
    } catch (cause) {
      throw new ConfigError(`${file} could not be rendered: ${(cause as Error).message}`, {
        nextStep: 'Correct the template: it may use the parameters of its job and the helpers py and ident.',
        cause,
      });
    }
  };
  return {
    sqlJob: (values) => rendered(render(join(root, 'templates/sql.py.hbs'), values).trimEnd() + '\n'),
    job: (template, values) => rendered(render(template, values).trimEnd() + '\n'),
    sqlStep: (step, values) =>
      rendered(render(join(root, `spark-sql/${step}.sql.hbs`), values).trimEnd() + '\n'),
  };
}
