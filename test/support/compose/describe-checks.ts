import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCompose } from './model.js';
import type { Rule } from './rules.js';

/** The folder of the project. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A variant of the file that a check must find wrong: a check that cannot fail proves nothing. */
interface Broken {
  /** The first place of this text … */
  readonly from: string;
  /** … becomes this one. */
  readonly to: string;
  readonly says: string;
}

export interface Check {
  readonly name: string;
  readonly rule: Rule;
  readonly broken: readonly Broken[];
}

/** Holds docker-compose.yml against each check, and each check against its broken variants. */
export function describeChecks(checks: readonly Check[]): void {
  const text = readFileSync(`${root}docker-compose.yml`, 'utf8');
  describe.each(checks)('docker-compose.yml $name', ({ rule, broken }) => {
    it('as it is', () => {
      expect(rule(parseCompose(text))).toEqual([]);
    });

    it.each(broken)('and not where it says $to', ({ from, to, says }) => {
      expect(text).toContain(from);
      expect(rule(parseCompose(text.replace(from, () => to))).join('\n')).toContain(says);
    });
  });
}
