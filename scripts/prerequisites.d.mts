export interface FoundJava {
  readonly file: string;
  readonly version: string;
  readonly problem?: undefined;
}
export interface FoundPython {
  readonly file: string;
  readonly prefix: string;
  readonly version: string;
  readonly problem?: undefined;
}
export interface Problem {
  readonly problem: string;
}
type Environment = Readonly<Record<string, string | undefined>>;

export function nodeProblem(version?: string): string | undefined;
export function parseJavaMajor(text: string): number | undefined;
export function findJava(env: Environment): FoundJava | Problem;
export function pythonProblem(found: { file: string; version: string; hasVenv: boolean }): string | undefined;
export function findPython(command: string): FoundPython | Problem;
export function prerequisiteProblems(env: Environment, envFilePath?: string): string[];
