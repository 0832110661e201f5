import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  failureLine,
  lastLines,
  messageLine,
  programRefusal,
  tellingEnd,
  type DriverLog,
} from '../../../src/core/driver-log.js';

const manyLines = (count: number, text: string): string =>
  Array.from({ length: count }, (_, index) => `${text} ${index + 1}`).join('\n');

describe('tellingEnd', () => {
  it('shows the last traceback of Python, without what went before it and without the log of Spark', () => {
    const stdout = [
      'Traceback (most recent call last):',
      'ValueError: handled',
      'going on',
      'Traceback (most recent call last):',
      '  File "streaming.py", line 7, in <module>',
      'ValueError: asked to fail',
      '',
    ].join('\n');
    expect(tellingEnd({ stdout, stderr: manyLines(9, 'INFO') })).toBe(
      'Traceback (most recent call last):\n  File "streaming.py", line 7, in <module>\nValueError: asked to fail',
    );
  });

  it('cuts the middle of a long traceback: its last line names the error', () => {
    const lines = tellingEnd({
      stdout: `Traceback (most recent call last):\n${manyLines(200, '  frame')}\nValueError: deep`,
      stderr: '',
    }).split('\n');
    expect(lines).toHaveLength(60);
    expect(lines.slice(9, 12)).toEqual(['  frame 9', '  …', '  frame 153']);
    expect(lines.at(-1)).toBe('ValueError: deep');
  });

  it('shows the ends of both streams where there is no traceback', () => {
    const end = tellingEnd({ stdout: manyLines(30, 'out'), stderr: manyLines(30, 'err') }).split('\n');
    expect([end[0], end[9], end[10], end.at(-1)]).toEqual(['out 21', 'out 30', 'err 11', 'err 30']);
  });
});

describe('a program that the worker has refused', () => {
  const before = 'Traceback (most recent call last):\nValueError: of an earlier start\n';
  const refused = 'ProgramRefused: job.py has SHA-256 1, but 2 was submitted';

  it('is the reason, whatever an earlier start has printed', () => {
    const log = { stdout: `${before}${refused}\n`, stderr: manyLines(9, 'ERROR') };
    expect(programRefusal(log)).toBe(refused);
    expect(tellingEnd(log)).toBe(refused);
    expect(failureLine(log)).toBe(refused);
  });

  it('is no reason once it was run after all', () => {
    expect(programRefusal({ stdout: `${refused}\nrunning\n` })).toBeUndefined();
    expect(programRefusal({ stdout: '' })).toBeUndefined();
  });
});

describe('tellingEnd of a job that names its own error', () => {
  it('shows that alone: the log of Spark says nothing of it', () => {
    const stdout = `working\nDataError: [PARSE_SYNTAX_ERROR] Syntax error\n\n== SQL ==\nSELECT a FORM b\n`;
    expect(tellingEnd({ stdout, stderr: manyLines(9, 'INFO') })).toBe(
      'DataError: [PARSE_SYNTAX_ERROR] Syntax error\n== SQL ==\nSELECT a FORM b',
    );
    expect(failureLine({ stdout, stderr: '' })).toBe('DataError: [PARSE_SYNTAX_ERROR] Syntax error');
  });

  it('never shows the command that the worker started the driver with', () => {
    const stderr = 'Launch Command: "java" "-cp"\n====\n\nWARNING: one\n';
    expect(tellingEnd({ stdout: '', stderr })).toBe('WARNING: one');
  });
});

describe('lastLines', () => {
  it('does not count the empty line at the end', () => {
    expect(lastLines('a\nb\nc\n', 2)).toBe('b\nc');
  });
});

const folder = join(import.meta.dirname, '../../fixtures/driver-logs');

/** The recorded log of a driver that failed. */
function recorded(name: string): DriverLog {
  const read = (stream: string): string => {
    const path = join(folder, `${name}.${stream}.txt`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const log = { stdout: read('stdout'), stderr: read('stderr') };
  expect(`${log.stdout}${log.stderr}`).not.toBe('');
  return log;
}

describe('the log of a driver of Spark 4.2.0', () => {
  it.each([
    ['python-value', "ValueError: price is no number: 'abc'"],
    ['python-chained', 'RuntimeError: the message has no price'],
    ['python-during', "FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent/fallback'"],
    ['python-syntax', 'SyntaxError: invalid syntax'],
    ['python-systemexit', 'Run x is not waiting in crypto.job_runs: it was given up'],
    ['python-missing-local', "can't open file '/nonexistent/job.py': [Errno 2] No such file or directory"],
    [
      'python-analysis',
      'AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function',
    ],
    [
      'python-udf',
      'NumberFormatException: [CAST_INVALID_INPUT] The value \'a0\' of the type "STRING" cannot be cast',
    ],
    ['python-rdd', 'ZeroDivisionError: division by zero'],
    ['python-stream', 'ValueError: batch 0 cannot be written'],
    [
      'python-missing-file',
      'ConnectException: Call From worker/127.0.0.1 to localhost:1 failed on connection',
    ],
    ['python-bad-option', "SparkException: Unrecognized option '--nosuch'."],
    [
      'jar-cause',
      'RuntimeException: the job could not begin, caused by FileNotFoundException: /data/prices.json (No such file or directory)',
    ],
    ['jar-oom', 'OutOfMemoryError: Java heap space'],
    ['jar-no-class', 'ClassNotFoundException: org.example.Missing'],
    ['jar-thread', 'IllegalArgumentException: in another thread'],
    [
      'jar-path',
      'AnalysisException: [PATH_NOT_FOUND] Path does not exist: file:/nonexistent/folder. SQLSTATE: 42K03',
    ],
    ['jar-task', 'SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times'],
    ['jar-exit', 'leaving with 3'],
  ])('says of %s in one line: %s', (name, line) => {
    expect(failureLine(recorded(name))).toContain(line);
    expect(failureLine(recorded(name))?.split('\n')).toHaveLength(1);
  });

  it('says nothing of one that a signal ended', () => {
    expect(failureLine(recorded('jar-sleep'))).toBeUndefined();
  });

  it('shows all errors of a chain, and what came before none of them', () => {
    const lines = tellingEnd(recorded('python-chained')).split('\n');
    expect([lines[0], lines[4]]).toEqual(['Traceback (most recent call last):', "KeyError: 'price'"]);
    expect(lines.at(-1)).toBe('RuntimeError: the message has no price');
    expect(tellingEnd(recorded('python-value'))).not.toContain('begins');
    expect(tellingEnd(recorded('python-analysis'))).not.toContain('SQLQueryContextLogger');
  });

  it('begins at the driver for an error of an executor or of a query', () => {
    for (const name of ['python-rdd', 'python-stream'])
      expect(tellingEnd(recorded(name))).toMatch(/^Traceback .*\n {2}File "\/jobs\//);
    expect(tellingEnd(recorded('python-rdd'))).toMatch(/ZeroDivisionError: division by zero$/);
  });

  it('shows the exceptions of a JVM with their first frames, without the wrapper of Spark', () => {
    expect(tellingEnd(recorded('jar-cause'))).toBe(
      [
        'java.lang.RuntimeException: the job could not begin',
        '\tat Trial.main(Trial.java:13)',
        '\t... 6 more',
        'Caused by: java.lang.IllegalStateException: cannot read the configuration',
        '\tat Trial.read(Trial.java:8)',
        '\t... 7 more',
        'Caused by: java.io.FileNotFoundException: /data/prices.json (No such file or directory)',
        '\tat Trial.read(Trial.java:7)',
        '\t... 7 more',
      ].join('\n'),
    );
  });

  it('stays readable where the JVM prints hundreds of lines', () => {
    const part = tellingEnd(recorded('jar-task')).split('\n');
    expect(part.length).toBeLessThan(50);
    expect(part[0]).toMatch(/^org.apache.spark.SparkException: Job aborted/);
    expect(part.filter((line) => line.startsWith('Caused by: ')).at(-1)).toBe(
      'Caused by: java.lang.ClassNotFoundException: Trial',
    );
  });

  it('says what the JVM threw where Python only passes it on', () => {
    const stdout = [
      'Traceback (most recent call last):',
      '  File "/jobs/job.py", line 3, in <module>',
      'py4j.protocol.Py4JJavaError: An error occurred while calling o42.save.',
      ': org.postgresql.util.PSQLException: Connection to localhost:1 refused.',
      '\tat org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl(ConnectionFactoryImpl.java:352)',
    ].join('\n');
    expect(failureLine({ stdout, stderr: '' })).toBe('PSQLException: Connection to localhost:1 refused.');
  });

  it('names the signal that ended an executor', () => {
    const stderr =
      'Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: ExecutorLostFailure (executor 0 exited caused by one of the running tasks) Reason: Command exited with code 137\n';
    expect(failureLine({ stdout: '', stderr })).toMatch(/exited with code 137 \(SIGKILL: so the system ends/);
  });

  it('falls back to the last error that Spark logged', () => {
    const stderr =
      '2026-11-24 03:27:49,241 ERROR StandaloneSchedulerBackend: Application has been killed. Reason: All masters are unresponsive! Giving up.\n2026-11-24 03:27:50,241 INFO SparkContext: stopped\n';
    expect(failureLine({ stdout: '', stderr })).toBe(
      'StandaloneSchedulerBackend: Application has been killed. Reason: All masters are unresponsive! Giving up.',
    );
    expect(failureLine({ stdout: '', stderr: '' })).toBeUndefined();
  });
});

describe('messageLine', () => {
  it('is the exception, not the heading that Spark puts before it', () => {
    const message =
      'Exception from the cluster:\njava.nio.file.NoSuchFileException: /nonexistent/x.jar\n\tjava.base/sun.nio.fs.UnixException.translateToIOException(UnixException.java:92)\n';
    expect(messageLine(message)).toBe('NoSuchFileException: /nonexistent/x.jar');
  });
});
