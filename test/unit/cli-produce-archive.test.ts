import { describe, expect, it } from 'vitest';
import { archiveEventLine, archiveReportLines } from '../../src/cli/produce-archive.js';
import { noOddRows } from '../../src/commands/produce/archive-report.js';
import { callCli } from '../support/run-cli.js';

/** No server listens here: a command line that is accepted fails with 4. */
const env = { CRYPTO_API_URL: 'http://127.0.0.1:9', KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:9' };
const days = ['--from', '2024-08-08', '--to', '2024-08-09'];

describe('produce --feed archive', () => {
  it.each([
    ['no days', ['--feed', 'archive'], '--feed archive needs a day for --from'],
    ['no last day', ['--feed', 'archive', '--from', '2024-08-08'], '--feed archive needs a day for --to'],
    ['an id', ['--feed', 'archive', '--from', '12', '--to', '2024-08-08'], 'needs a day for --from'],
    ['a time', ['--feed', 'archive', '--from', '2024-08-08T10:00', '--to', '2024-08-08'], 'for --from'],
    ['no real day', ['--feed', 'archive', '--from', '2024-02-01', '--to', '2024-02-30'], 'a day for --to'],
    ['days in reverse', ['--feed', 'archive', '--from', '2024-08-09', '--to', '2024-08-08'], 'is after --to'],
    ['the background', ['--feed', 'archive', ...days, '--detach'], '--detach does not go with it'],
    ['a poll interval', ['--feed', 'archive', ...days, '--interval', '500'], '--interval says nothing'],
    ['--to without it', ['--to', '2024-08-09'], '--to belongs to --feed archive'],
    ['a folder without it', ['--archive', '/tmp/x'], '--archive belongs to --feed archive'],
    ['another feed', ['--feed', 'fax'], 'Allowed choices are stream, poll, ticker, archive'],
  ])('exits 2 for %s', async (_what, args, message) => {
    const { exitCode, err } = await callCli(['produce', ...args], env);
    expect(err).toContain(message);
    expect(exitCode).toBe(2);
  });
});

describe('what is said of an archive', () => {
  const symbol = 'BTCUSDT';

  it('names a day without a file', () => {
    expect(archiveEventLine({ kind: 'missing file', symbol, day: '2024-08-08' })).toBe(
      'BTCUSDT: the archive has no file of 2024-08-08; its trades come from the exchange',
    );
  });

  it('names a hole, and what the exchange lacks of it', () => {
    const hole = { firstId: 1000, lastId: 2999, fetched: 2000, unreadable: 0, unpublished: [] };
    expect(archiveEventLine({ kind: 'hole', symbol, hole })).toBe(
      'BTCUSDT: trades 1000 to 2999 are not in the archive: 2,000 of 2,000 came from the exchange',
    );
    const unpublished = [{ firstId: 1500, lastId: 1501 }];
    expect(archiveEventLine({ kind: 'hole', symbol, hole: { ...hole, fetched: 1998, unpublished } })).toMatch(
      /1,998 of 2,000 came from the exchange, which does not have 1500 to 1501 either$/,
    );
  });

  it('names what is odd in a file', () => {
    const odd = { doubled: 1200, conflicting: 1, disordered: 2, unreadable: 3 };
    expect(archiveEventLine({ kind: 'odd file', symbol, file: 'x.zip', odd })).toBe(
      'BTCUSDT: x.zip has 1,200 rows twice; each is sent once; has 1 ids for two trades each; the first counts; ' +
        'has 2 rows out of order of id; they are sent too; ' +
        'has 3 rows that cannot be read; they are stored, and the exchange is asked for their ids',
    );
  });

  it('sums up', () => {
    const report = {
      files: 3,
      missingFiles: 0,
      holes: 0,
      fetched: 0,
      unpublishedIds: 0,
      unpublished: [],
      odd: noOddRows,
    };
    expect(archiveReportLines(report)).toEqual(['archive: 3 files read; no hole']);
    expect(archiveReportLines({ ...report, files: 0 })).toEqual(['archive: nothing was left to bring']);
    expect(
      archiveReportLines({ ...report, missingFiles: 1, holes: 2, fetched: 2400, unpublishedIds: 7 }),
    ).toEqual([
      'archive: 3 files read, 1 missing; 2 holes, 2,400 trades from the exchange; 7 ids were never published, the exchange says',
    ]);
  });
});
