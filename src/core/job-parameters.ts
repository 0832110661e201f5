import { Decimal } from 'decimal.js';
import { UsageError } from './errors.js';
import { nearest } from './suggestion.js';

interface ParameterBase {
  /** snake_case: the name in the template and behind `--param`. */
  readonly name: string;
  readonly meaning: string;
  /** As a person would type it; undefined where the parameter has to be given. */
  readonly default: string | undefined;
}

/** Both ends are allowed; as texts, in the form of the parameter's own values. */
interface Bounds {
  readonly min?: string;
  readonly max?: string;
}

/** A typed parameter of a job. Texts never hold control characters, so that no value can end its line, unless they are `lines`. */
export type JobParameter =
  | (ParameterBase & { readonly type: 'text'; readonly pattern?: RegExp; readonly lines?: boolean })
  | (ParameterBase & { readonly type: 'integer' | 'decimal' | 'date' | 'time' } & Bounds)
  | (ParameterBase & { readonly type: 'boolean' })
  | (ParameterBase & { readonly type: 'choice'; readonly choices: readonly string[] })
  | (ParameterBase & { readonly type: 'url'; readonly schemes: readonly string[] });

/** Integers are numbers; decimals (exact), dates and times (UTC) stay texts. */
export type ParameterValues = Readonly<Record<string, string | number | boolean>>;

type Checked = { readonly value: string | number | boolean } | { readonly problem: string };

const printable = /^[^\p{Cc}]+$/u;
const printableLines = /^(?:[^\p{Cc}]|[\t\r\n])+$/u;

function withinBounds(
  text: string,
  { min, max }: Bounds,
  compare: (left: string, right: string) => number,
): boolean {
  return (min === undefined || compare(text, min) >= 0) && (max === undefined || compare(text, max) <= 0);
}

/** ` from 1 to 5`, ` from 1`, ` up to 5`, or nothing. */
function boundsText({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` from ${min}`;
  return max === undefined ? '' : ` up to ${max}`;
}

const byAmount = (left: string, right: string): number => new Decimal(left).cmp(right);
/** ISO dates and times with the same number of digits sort as texts. */
const byText = (left: string, right: string): number => (left < right ? -1 : Number(left > right));

const isRealDate = (day: string): boolean => {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
};

/** What a value of these types looks like, and how two are compared. */
const ordered = {
  integer: { what: 'a whole number', isOne: (text: string) => /^-?\d{1,15}$/.test(text), compare: byAmount },
  decimal: {
    what: 'a decimal number',
    isOne: (text: string) => /^-?\d{1,38}(\.\d{1,38})?$/.test(text),
    compare: byAmount,
  },
  date: {
    what: 'a day as 2026-01-31',
    isOne: (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isRealDate(text),
    compare: byText,
  },
  time: {
    what: 'a time in UTC as 2026-01-31T23:59:00Z',
    isOne: (text: string) =>
      /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/.test(text) && isRealDate(text.slice(0, 10)),
    compare: byText,
  },
} as const;

function checkOrdered(type: keyof typeof ordered, bounds: Bounds, text: string): Checked {
  const { what, isOne, compare } = ordered[type];
  return isOne(text) && withinBounds(text, bounds, compare)
    ? { value: type === 'integer' ? Number(text) : text }
    : { problem: `is not ${what}${boundsText(bounds)}` };
}

function checkChoice(choices: readonly string[], text: string): Checked {
  if (choices.includes(text)) return { value: text };
  const meant = nearest(text, choices);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return { problem: `is not one of ${choices.join(', ')}${hint}` };
}

/** Reads one value as a parameter's type wants it. */
export function checkValue(parameter: JobParameter, text: string): Checked {
  const isOfLines = parameter.type === 'text' && parameter.lines === true;
  if (!(isOfLines ? printableLines : printable).test(text))
    return { problem: 'is empty or holds control characters' };
  switch (parameter.type) {
    case 'boolean':
      return text === 'true' || text === 'false'
        ? { value: text === 'true' }
        : { problem: 'is neither true nor false' };
    case 'choice':
      return checkChoice(parameter.choices, text);
    case 'url':
      return parameter.schemes.some((scheme) => text.startsWith(`${scheme}:/`)) && !/\s/.test(text)
        ? { value: text }
        : { problem: `is not an address that begins with ${parameter.schemes.join(':// or ')}://` };
    case 'text':
      return parameter.pattern === undefined || parameter.pattern.test(text)
        ? { value: text }
        : { problem: `does not match ${parameter.pattern.source}` };
    case 'integer':
    case 'decimal':
    case 'date':
    case 'time':
      return checkOrdered(parameter.type, parameter, text);
  }
}

interface ParameterProblem {
  readonly name: string;
  readonly message: string;
  /** The value that is wrong; undefined where there is none. */
  readonly text?: string;
}

/** `name=value` in its two parts; undefined where it is no such thing. */
export function splitOverride(override: string): readonly [string, string] | undefined {
  const at = override.indexOf('=');
  return at < 1 ? undefined : [override.slice(0, at).trim(), override.slice(at + 1)];
}

function unknownName(name: string, parameters: readonly JobParameter[]): ParameterProblem {
  const meant = nearest(
    name,
    parameters.map((parameter) => parameter.name),
  );
  return { name, message: `no such parameter${meant === undefined ? '' : `; did you mean ${meant}?`}` };
}

function readOverrides(
  parameters: readonly JobParameter[],
  overrides: readonly string[],
  problems: ParameterProblem[],
): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (const override of overrides) {
    const parts = splitOverride(override);
    if (parts === undefined) problems.push({ name: override, message: 'is not name=value' });
    else if (!parameters.some((parameter) => parameter.name === parts[0]))
      problems.push(unknownName(parts[0], parameters));
    else if (given.has(parts[0])) problems.push({ name: parts[0], message: 'is given twice' });
    else given.set(parts[0], parts[1]);
  }
  return given;
}

/** The value of every parameter that has one, and everything that is wrong with them. */
export function readParameters(
  parameters: readonly JobParameter[],
  overrides: readonly string[],
): { readonly values: ParameterValues; readonly problems: readonly ParameterProblem[] } {
  const problems: ParameterProblem[] = [];
  const given = readOverrides(parameters, overrides, problems);
  const values: Record<string, string | number | boolean> = {};
  for (const parameter of parameters) {
    const text = given.get(parameter.name) ?? parameter.default;
    const checked: Checked =
      text === undefined ? { problem: `is missing: ${parameter.meaning}` } : checkValue(parameter, text);
    if ('problem' in checked)
      problems.push({
        name: parameter.name,
        message: checked.problem,
        ...(text === undefined ? {} : { text }),
      });
    else values[parameter.name] = checked.value;
  }
  return { values, problems };
}

/**
 * The value of every parameter: what `name=value` says, else its default, both checked in the same way.
 * @throws UsageError that lists every problem, with a suggestion for a mistyped name.
 */
export function resolveParameters(
  parameters: readonly JobParameter[],
  overrides: readonly string[],
): ParameterValues {
  const { values, problems } = readParameters(parameters, overrides);
  if (problems.length === 0) return values;
  const names = parameters.map((parameter) => parameter.name);
  throw new UsageError(
    `The parameters are wrong:\n${problems.map(({ name, message }) => `  ${name}: ${message}`).join('\n')}`,
    {
      nextStep: names.length === 0 ? 'This job has no parameters.' : `Known parameters: ${names.join(', ')}.`,
    },
  );
}
