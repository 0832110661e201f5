import { UsageError } from './errors.js';
import { nearest } from './suggestion.js';

interface ParameterBase {
  /** snake_case: the name in the template and behind `--param`. */
  readonly name: string;
  readonly meaning: string;
}

/** A typed parameter of a job. Texts never hold control characters, so that no value can end its line. */
export type JobParameter =
  | (ParameterBase & { readonly type: 'text'; readonly default: string; readonly pattern?: RegExp })
  | (ParameterBase & {
      readonly type: 'integer';
      readonly default: number;
      readonly min: number;
      readonly max: number;
    })
  | (ParameterBase & {
      readonly type: 'choice';
      readonly default: string;
      readonly choices: readonly string[];
    })
  | (ParameterBase & { readonly type: 'url'; readonly default: string; readonly schemes: readonly string[] });

export type ParameterValues = Readonly<Record<string, string | number | boolean>>;

type Checked = { readonly value: string | number } | { readonly problem: string };

const printable = /^[^\p{Cc}]+$/u;

function checkInteger(text: string, min: number, max: number): Checked {
  const value = Number(text);
  return /^-?\d+$/.test(text) && value >= min && value <= max
    ? { value }
    : { problem: `is not a whole number from ${min} to ${max}` };
}

function checkValue(parameter: JobParameter, text: string): Checked {
  if (!printable.test(text)) return { problem: 'is empty or holds control characters' };
  switch (parameter.type) {
    case 'integer':
      return checkInteger(text, parameter.min, parameter.max);
    case 'choice': {
      if (parameter.choices.includes(text)) return { value: text };
      const meant = nearest(text, parameter.choices);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      return { problem: `is not one of ${parameter.choices.join(', ')}${hint}` };
    }
    case 'url':
      return parameter.schemes.some((scheme) => text.startsWith(`${scheme}:/`)) && !/\s/.test(text)
        ? { value: text }
        : { problem: `is not an address that begins with ${parameter.schemes.join(':// or ')}://` };
    case 'text':
      return parameter.pattern === undefined || parameter.pattern.test(text)
        ? { value: text }
        : { problem: `does not match ${parameter.pattern.source}` };
  }
}

function splitOverride(override: string): readonly [string, string] | undefined {
  const at = override.indexOf('=');
  return at < 1 ? undefined : [override.slice(0, at).trim(), override.slice(at + 1)];
}

function unknownName(name: string, parameters: readonly JobParameter[]): string {
  const meant = nearest(
    name,
    parameters.map((parameter) => parameter.name),
  );
  return `${name}: no such parameter${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

function readOverrides(
  parameters: readonly JobParameter[],
  overrides: readonly string[],
  problems: string[],
): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (const override of overrides) {
    const parts = splitOverride(override);
    if (parts === undefined) problems.push(`${override}: is not name=value`);
    else if (!parameters.some((parameter) => parameter.name === parts[0]))
      problems.push(unknownName(parts[0], parameters));
    else if (given.has(parts[0])) problems.push(`${parts[0]}: is given twice`);
    else given.set(parts[0], parts[1]);
  }
  return given;
}

/**
 * The value of every parameter: what `name=value` says, else its default, both checked in the same way.
 * @throws UsageError that lists every problem, with a suggestion for a mistyped name.
 */
export function resolveParameters(
  parameters: readonly JobParameter[],
  overrides: readonly string[],
): ParameterValues {
  const problems: string[] = [];
  const given = readOverrides(parameters, overrides, problems);
  const values: Record<string, string | number> = {};
  for (const parameter of parameters) {
    const checked = checkValue(parameter, given.get(parameter.name) ?? String(parameter.default));
    if ('problem' in checked) problems.push(`${parameter.name}: ${checked.problem}`);
    else values[parameter.name] = checked.value;
  }
  if (problems.length === 0) return values;
  throw new UsageError(`The parameters are wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
    nextStep: `Known parameters: ${parameters.map((parameter) => parameter.name).join(', ')}.`,
  });
}
