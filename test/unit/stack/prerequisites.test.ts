import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  findJava,
  findPython,
  nodeProblem,
  parseJavaMajor,
  prerequisiteProblems,
  pythonProblem,
} from '../../../scripts/prerequisites.mjs';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'prerequisites-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A Java home whose `java -version` says this. */
function fakeJava(version: string): string {
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'java'), `#!/bin/sh\necho 'openjdk version "${version}"' >&2\n`, {
    mode: 0o755,
  });
  return folder;
}

describe('Node', () => {
  it('is enough from 20.19 on', () => {
    expect(nodeProblem('20.19.0')).toBeUndefined();
    expect(nodeProblem('22.1.0')).toBeUndefined();
    expect(nodeProblem('20.18.3')).toContain('install Node 20.19 or newer');
    expect(nodeProblem('18.20.0')).toContain('Node 18.20.0 is too old');
  });
});

describe('Java', () => {
  it('is read in its new and in its old form', () => {
    expect(parseJavaMajor('openjdk version "21.0.1" 2023-10-17')).toBe(21);
    expect(parseJavaMajor('java version "1.8.0_392"')).toBe(8);
    expect(parseJavaMajor('no java here')).toBeUndefined();
  });

  it('is taken from JAVA_HOME', () => {
    const home = fakeJava('21.0.4');
    expect(findJava({ JAVA_HOME: home })).toEqual({ file: join(home, 'bin', 'java'), version: '21.0.4' });
  });

  it('is named with what to install when it is too old or missing', () => {
    expect(findJava({ JAVA_HOME: fakeJava('11.0.2') }).problem).toMatch(/is Java 11.*install Java 17 or 21/);
    expect(findJava({ JAVA_HOME: '/nonexistent' }).problem).toMatch(/not found at \/nonexistent.*openjdk-17/);
  });
});

describe('Python', () => {
  it('is named with what to install when it is too old, too new, without venv or missing', () => {
    const python = (version: string, hasVenv = true): string | undefined =>
      pythonProblem({ file: '/p', version, hasVenv });
    expect(python('3.10.0')).toBeUndefined();
    expect(python('3.14.2')).toBeUndefined();
    expect(python('3.9.18')).toContain('install Python 3.10 to 3.14');
    expect(python('3.15.0')).toContain('install Python 3.10 to 3.14');
    expect(python('3.12.1', false)).toContain('apt install python3-venv');
    expect(findPython('/nonexistent/python').problem).toContain('apt install python3 python3-venv');
  });
});

describe('all of them', () => {
  it('are named at once', () => {
    const problems = prerequisiteProblems({ JAVA_HOME: '/nonexistent', CRYPTOPIPE_PYTHON: '/nonexistent' });
    expect(problems).toHaveLength(2);
  });

  it('take CRYPTOPIPE_PYTHON from .env where the environment has none', () => {
    const envFile = join(folder, '.env');
    const pythonProblemOf = (text: string, env: Record<string, string> = {}): string | undefined => {
      writeFileSync(envFile, text);
      return prerequisiteProblems(env, envFile).find((problem) => problem.startsWith('Python'));
    };
    for (const value of ['/no/python', '"/no/python"', "'/no/python'", ' /no/python # mine'])
      expect(pythonProblemOf(`A=1\nCRYPTOPIPE_PYTHON=${value}\n`)).toContain('(/no/python)');
    expect(pythonProblemOf('CRYPTOPIPE_PYTHON=/no/python\n', { CRYPTOPIPE_PYTHON: '/other' })).toContain(
      '(/other)',
    );
    expect(pythonProblemOf('# CRYPTOPIPE_PYTHON=/no/python\n') ?? '').not.toContain('/no/python');
  });
});
