import { ConfigError, UsageError } from './errors.js';
import { checkValue, type JobParameter, type ParameterValues } from './job-parameters.js';
import type { SqlText } from './sql-text.js';

const types = ['text', 'integer', 'decimal', 'boolean', 'date', 'time'] as const;
type SqlType = (typeof types)[number];

const isSqlType = (word: string): word is SqlType => (types as readonly string[]).includes(word);

/** `-- :day date = 2026-01-01, the UTC day`: name, type, default and meaning; the last two may be left out. */
const declaration = /^\s*--\s*:(\w+)(?:\s+(\w+))?\s*(?:=\s*([^,]*?)\s*)?(?:,\s*(.*?)\s*)?$/;

function declared(line: string): JobParameter {
  const [, name = '', type = '', value, meaning] = declaration.exec(line) ?? [];
  if (!isSqlType(type))
    throw new UsageError(`The line \`${line.trim()}\` declares no parameter`, {
      nextStep: `Write \`-- :name type\`, or \`-- :name type = default, meaning\`; types: ${types.join(', ')}.`,
    });
  return { name, type, default: value, meaning: meaning ?? `stands in the SQL as :${name}` };
}

/** Forms that only one type has; a number that begins with a zero is a text, like every name of an account. */
const forms = ['date', 'time', 'boolean', 'integer', 'decimal'] as const;

function typeByForm(text: string | undefined): SqlType {
  if (text === undefined || /^-?0\d/.test(text)) return 'text';
  const probe = { name: '', meaning: '', default: undefined };
  return forms.find((type) => !('problem' in checkValue({ ...probe, type }, text))) ?? 'text';
}

/**
 * The parameters of a file of SQL: typed by the lines of its header, else by the form of the value that is given.
 * @param overrides `name=value`
 * @throws UsageError where a header line is wrong, or declares what the statement does not use.
 */
export function sqlParameters(sql: SqlText, overrides: readonly string[]): readonly JobParameter[] {
  const header = sql.header.filter((line) => /^\s*--\s*:/.test(line)).map(declared);
  const unused = header.find(({ name }) => !sql.parameters.includes(name));
  if (unused !== undefined)
    throw new UsageError(`The header declares :${unused.name}, and the statement does not use it`);
  return sql.parameters.map((name) => {
    const given = overrides.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const own = header.find((one) => one.name === name);
    const meaning = `stands in the SQL as :${name}`;
    return own ?? { name, type: typeByForm(given), default: undefined, meaning };
  });
}

/**
 * The values that a statement binds, as JSON: `{"day": {"date": "2026-01-01"}}`. What only the template uses stays out.
 * @throws ConfigError where the statement names a parameter that nobody has declared.
 */
export function sqlArguments(
  sql: SqlText,
  parameters: readonly JobParameter[],
  values: ParameterValues,
): string {
  const entries = sql.parameters.map((name) => {
    const parameter = parameters.find((one) => one.name === name);
    if (parameter === undefined)
      throw new ConfigError(`The SQL uses :${name}, which is no parameter of the job`, {
        nextStep: 'Declare it in the manifest, or correct the name.',
      });
    const type = isSqlType(parameter.type) ? parameter.type : 'text';
    return [name, { [type]: values[name] }] as const;
  });
  return JSON.stringify(Object.fromEntries(entries));
}
