/** Flags that say where a history begins: one that begins earlier has everything of one that begins later. */
const beginnings = new Set(['--begin', '--from']);

/**
 * Whether a command that runs with these arguments does what was wanted: all are the same, but for a beginning (an ISO time)
 * that may lie before the wanted one. Total.
 */
export function doesWhatIsWanted(running: readonly string[], wanted: readonly string[]): boolean {
  if (running.length !== wanted.length) return false;
  return wanted.every((argument, index) => {
    const other = running[index] ?? '';
    if (argument === other) return true;
    // A time that cannot be read is NaN, which is before nothing.
    return beginnings.has(wanted[index - 1] ?? '') && Date.parse(other) <= Date.parse(argument);
  });
}
