import { afterEach, beforeEach, expect, it } from 'vitest';
import { callCli } from '../support/run-cli.js';

/** Node ends a process for each of them, with a stack trace and exit code 1: nobody would see our own message. */
const leftAlone: unknown[] = [];
const note = (reason: unknown): number => leftAlone.push(reason);

beforeEach(() => {
  leftAlone.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(() => void process.off('unhandledRejection', note));

// The first of them comes before any call has loaded the modules of the app, as in every process of a person.
it.each([
  ['SPARK_REST_KEY_FILE', '/nonexistent/key', /^ {2}SPARK_REST_KEY_FILE: .*no such file/m],
  ['SPARK_REST_KEY', 'short', /^ {2}SPARK_REST_KEY: is not base64url of at least 32 bytes$/m],
  ['SPARK_REST_URL', 'http://192.0.2.7:6066', /^ {2}SPARK_REST_URL: is plain HTTP to another computer/m],
])('a wrong %s ends every command with its message and exit code 3', async (name, value, says) => {
  const { exitCode, out, err } = await callCli(['runs'], { [name]: value });
  expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' });
  expect(err).toMatch(/^error: The configuration is wrong:\n/);
  expect(err).toMatch(says);
  expect(leftAlone).toEqual([]);
});
