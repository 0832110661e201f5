// What must be on a computer before anything is downloaded. Plain JavaScript without packages: it runs before `npm ci`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const macOsNote = 'macOS: brew install';

function run(file, args) {
  const result = spawnSync(file, args, { encoding: 'utf8', timeout: 60_000 });
  return {
    isFound: result.error === undefined,
    status: result.status,
    text: `${result.stdout ?? ''}${result.stderr ?? ''}`,
  };
}

/** Undefined when this Node will do, else what to install. */
export function nodeProblem(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const isEnough = major > 20 || (major === 20 && minor >= 19);
  return isEnough
    ? undefined
    : `Node ${version} is too old: install Node 20.19 or newer (https://nodejs.org, or your system's package nodejs)`;
}

const javaAdvice = `install Java 17 or 21 (Debian, Ubuntu: apt install openjdk-17-jre-headless; ${macOsNote} openjdk@17) and set JAVA_HOME, or put java on the PATH`;

/** `openjdk version "17.0.15" …` → 17; also the old form `1.8.0`. */
export function parseJavaMajor(text) {
  const match = /version "(?:1\.)?(\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** The Java of JAVA_HOME, else of the PATH: `{ file, version }` or `{ problem }`. */
export function findJava(env) {
  const home = env['JAVA_HOME'];
  const file = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const { isFound, status, text } = run(file, ['-version']);
  if (!isFound || status !== 0) {
    const where = file === 'java' ? 'on the PATH' : `at ${file} (from JAVA_HOME)`;
    return { problem: `Java was not found ${where}: ${javaAdvice}` };
  }
  const major = parseJavaMajor(text);
  if (major !== 17 && major !== 21) {
    return {
      problem: `${file} is Java ${major ?? 'of an unknown version'}, which Spark and Kafka here do not run on: ${javaAdvice}`,
    };
  }
  return { file, version: /version "([^"]+)"/.exec(text)?.[1] ?? String(major) };
}

const pythonProbe = `
import json, sys
try:
    import ensurepip, venv
    has_venv = True
except ImportError:
    has_venv = False
print(json.dumps({"file": sys.executable, "prefix": sys.base_prefix, "version": ".".join(map(str, sys.version_info[:3])), "hasVenv": has_venv}))
`;

/** What is wrong with a Python that answered; undefined when it will do. */
export function pythonProblem(found) {
  const [major, minor] = found.version.split('.').map(Number);
  if (major !== 3 || minor < 10 || minor > 14) {
    return `${found.file} is Python ${found.version}: install Python 3.10 to 3.14, or name one by CRYPTOPIPE_PYTHON`;
  }
  if (!found.hasVenv) {
    return `${found.file} has no venv module: install it (Debian, Ubuntu: apt install python3-venv)`;
  }
  return undefined;
}

/** The Python that will make the virtual environment: `{ file, prefix, version }` or `{ problem }`. */
export function findPython(command) {
  const { isFound, status, text } = run(command, ['-c', pythonProbe]);
  if (!isFound || status !== 0) {
    return {
      problem: `Python was not found (${command}): install Python 3.10 to 3.14 with its venv module (Debian, Ubuntu: apt install python3 python3-venv; ${macOsNote} python), or name one by CRYPTOPIPE_PYTHON`,
    };
  }
  const found = JSON.parse(text.trim().split('\n').at(-1));
  const problem = pythonProblem(found);
  return problem === undefined ? found : { problem };
}

/** CRYPTOPIPE_PYTHON of a `.env` file, for nothing is built yet; the last line that sets it holds. */
function pythonInEnvFile(path) {
  if (!existsSync(path)) return undefined;
  const line = /^\s*(?:export\s+)?CRYPTOPIPE_PYTHON\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\r\n]*?))\s*(?: #.*)?$/gm;
  const last = [...readFileSync(path, 'utf8').matchAll(line)].at(-1);
  return (last?.[1] ?? last?.[2] ?? last?.[3])?.trim();
}

/** Every problem of this computer at once, so that nobody has to come back three times. */
export function prerequisiteProblems(env, envFilePath = '.env') {
  const python = env['CRYPTOPIPE_PYTHON'] || pythonInEnvFile(envFilePath);
  return [
    nodeProblem(),
    findJava(env).problem,
    findPython(python === undefined || python === '' ? 'python3' : python).problem,
  ].filter((problem) => problem !== undefined);
}
