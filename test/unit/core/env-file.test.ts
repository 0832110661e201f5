import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseEnvFile } from '../../../src/core/env-file.js';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly environment?: Record<string, string>;
  readonly values?: Record<string, string>;
  /** How many variables become empty texts because they are not set. */
  readonly unset?: number;
  readonly refused?: boolean;
}

const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/env-files/cases.json', import.meta.url), 'utf8'),
) as readonly Case[];

describe('a .env file, as compose-go 2.16.2 reads it', () => {
  it.each(cases.filter(({ refused }) => refused !== true))(
    '$name',
    ({ text, environment, values, unset }) => {
      const read = parseEnvFile(text, environment ?? {});
      expect(read.values).toEqual(values);
      expect(read.problems).toEqual([]);
      expect(read.unset.length > 0).toBe((unset ?? 0) > 0);
    },
  );

  it.each(cases.filter(({ refused }) => refused === true))('is refused: $name', ({ text, environment }) => {
    expect(parseEnvFile(text, environment ?? {}).problems).toEqual([expect.stringMatching(/^line \d+: /)]);
  });
});
