import { InvalidArgumentError, type Command } from 'commander';

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

/** For a flag that takes a TCP port. */
export function portNumber(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 65_535)
    throw new InvalidArgumentError('It is not a port from 1 to 65535.');
  return number;
}

/**
 * The flags of a command whose parent is a command too (`submit jar` below `submit`). Commander gives a flag that both know
 * to the parent, wherever it stands; here it is the inner command's. One that only the parent knows is refused.
 */
export function flagsOf(command: Command): unknown {
  const { parent } = command;
  const flags: Record<string, unknown> = { ...command.opts() };
  for (const option of parent?.options ?? []) {
    const name = option.attributeName();
    if (parent?.getOptionValueSource(name) !== 'cli') continue;
    if (!command.options.some((own) => own.attributeName() === name))
      command.error(`error: ${option.long ?? option.flags} does not go with \`${command.name()}\``);
    flags[name] = parent.getOptionValue(name);
  }
  return flags;
}
