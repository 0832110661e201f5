import { InvalidArgumentError } from 'commander';

/** For a flag that may be repeated. */
export function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

/** For a flag that takes a whole number above zero. */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 1_000_000)
    throw new InvalidArgumentError('It is not a whole number from 1 to 1000000.');
  return number;
}
