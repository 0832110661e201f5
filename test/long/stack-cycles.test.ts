import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose.js';
import { isAlive, membersOf, type ProcessId } from '../../src/stack/process-table.js';
import { readState } from '../../src/stack/state.js';
import { startStack, type TestStack } from '../support/stack.js';

const everyone = (dataDir: string): ProcessId[] =>
  Object.values(readState(dataDir)?.processes ?? {}).flatMap(membersOf);

/** Processes that were started from a data folder, whoever their parent is now. */
function mentioning(dataDir: string, pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir);
    } catch {
      return false;
    }
  });
}

describe('up and down', () => {
  it('leaves no process behind, ten times in a row', { timeout: 590_000 }, async () => {
    let left: ProcessId[] = [];
    for (let cycle = 1; cycle <= 10; cycle += 1) {
      const stack = await startStack({ name: 'cycles', portOffset: 10_000 });
      const members = everyone(stack.dataDir);
      expect(members.length).toBeGreaterThan(6);
      expect(
        mentioning(
          stack.dataDir,
          members.map(({ pid }) => pid),
        ).length,
      ).toBeGreaterThan(4);
      await createApp(stack.config).stack.down({ say: () => undefined });
      expect(readState(stack.dataDir)).toBeUndefined();
      left = [...left, ...members].filter(isAlive);
      expect(left).toEqual([]);
      await stack.stop();
    }
  });
});

describe('two stacks', () => {
  it('run side by side and end one without the other', { timeout: 590_000 }, async () => {
    const stacks: TestStack[] = [];
    try {
      stacks.push(await startStack({ name: 'side-one', portOffset: 10_000 }));
      stacks.push(await startStack({ name: 'side-two', portOffset: 11_000 }));
      const [one, two] = stacks;
      const first = await createApp(one!.config).stack.status();
      const second = await createApp(two!.config).stack.status();
      expect([...first, ...second].map(({ state }) => state)).toEqual(Array(12).fill('running'));
      const members = everyone(one!.dataDir);
      await one!.stop();
      expect(members.filter(isAlive)).toEqual([]);
      const after = await createApp(two!.config).stack.status();
      expect(after.map(({ name, pid }) => [name, pid])).toEqual(second.map(({ name, pid }) => [name, pid]));
      expect(after.every(({ state }) => state === 'running')).toBe(true);
    } finally {
      for (const stack of stacks) await stack.stop();
    }
  });
});
