/** `ill`: it answered, and is not as it should be. `silent`: nobody knows, because it did not answer. */
type Health = 'well' | 'ill' | 'silent';

/** One system, or one side of the data, at one moment. */
export interface ReportPart {
  readonly name: string;
  readonly health: Health;
  /** One line for a person. */
  readonly summary: string;
  /** What is wrong, one line each; empty where all is well. */
  readonly problems: readonly string[];
  /** The numbers behind the line, for `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What a part found, before anybody has judged whether it is well. */
export interface Finding {
  readonly summary: string;
  readonly problems: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface StatusReport {
  /** Epoch ms. */
  readonly at: number;
  readonly isHealthy: boolean;
  /** 0 all is well · 4 something did not answer · 5 something is not as it should be. */
  readonly exitCode: 0 | 4 | 5;
  readonly parts: readonly ReportPart[];
}

/** A part that answered. */
export function answered(name: string, finding: Finding): ReportPart {
  return { name, health: finding.problems.length === 0 ? 'well' : 'ill', ...finding };
}

/** Puts the parts together. What did not answer weighs more than what is ill: it may hide more of that. */
export function toReport(at: number, parts: readonly ReportPart[]): StatusReport {
  const has = (health: Health): boolean => parts.some((part) => part.health === health);
  const exitCode = has('silent') ? 4 : has('ill') ? 5 : 0;
  return { at, isHealthy: exitCode === 0, exitCode, parts };
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** A length of time for people: `840 ms`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function shortDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const [unit, size] = units.find(([, length]) => ms >= 2 * length) ?? ['s', 1000];
  return `${Math.floor(ms / size)} ${unit}`;
}

/** The part of a message that stands in a table: its first line. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
