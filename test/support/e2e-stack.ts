import type { TestProject } from 'vitest/node';
import { startStack } from './stack.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The environment with which everything sees the one stack of all end-to-end tests. */
    readonly stackEnvironment: Record<string, string>;
  }
}

/** Starts one stack for the whole project, since a start costs more than most tests; each file takes names of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack({ name: 'e2e', portOffset: 20_000 });
  project.provide('stackEnvironment', stack.env);
  return () => stack.stop();
}
