import { describe, expect, it } from 'vitest';
import { findDisks } from '../../../src/core/disk-space.js';
import { findHdfs, findPostgres } from '../../../src/core/storage-findings.js';

describe('the storage', () => {
  const well = {
    ...{
      safeMode: undefined,
      capacityBytes: 100e9,
      remainingBytes: 60e9,
      liveDataNodes: 1,
      missingBlocks: 0,
    },
  };
  const problemsOf = (state: Partial<Parameters<typeof findHdfs>[1]>) =>
    findHdfs(['/datalake'], { ...well, ...state }).problems;

  it('HDFS is well where it can be written, and where nobody can ask', () => {
    expect(problemsOf({})).toEqual([]);
    expect(findHdfs(['/datalake'], undefined)).toMatchObject({
      summary: 'answers, the lake is there',
      problems: [],
    });
  });

  it('HDFS is ill in safe mode, full, without DataNodes, and without blocks', () => {
    expect(problemsOf({ safeMode: 'Safe mode is ON. Turned on manually.' })).toEqual([
      'HDFS is in safe mode and cannot be written: Safe mode is ON. Turned on manually.',
    ]);
    expect(problemsOf({ remainingBytes: 4.9e9 })).toEqual([
      'HDFS is nearly full, 4.9 of 100 GB are free: remove data or add a disk',
    ]);
    expect(problemsOf({ liveDataNodes: 0, capacityBytes: 0, remainingBytes: 0 })).toEqual([
      'no DataNode is alive, so HDFS can be neither read nor written: `cryptopipe stack status`',
    ]);
    expect(problemsOf({ missingBlocks: 3 })).toEqual([
      '3 blocks of HDFS are on no DataNode that is alive: start the DataNodes that hold them',
    ]);
  });

  it('PostgreSQL is ill where it is read-only', () => {
    expect(findPostgres(3, { isStandby: false, isReadOnly: false }).problems).toEqual([]);
    expect(findPostgres(3, { isStandby: false, isReadOnly: true }).problems).toEqual([
      'PostgreSQL is read-only (default_transaction_read_only) and cannot be written: set that off',
    ]);
    expect(findPostgres(3, { isStandby: true, isReadOnly: false }).problems).toEqual([
      'PostgreSQL is a standby and cannot be written: set PGHOST to the primary, or wait for the failover',
    ]);
  });

  it.each([
    [250e9, 1.9e9, true],
    [250e9, 12e9, true],
    [250e9, 13e9, false],
    [2000e9, 21e9, false],
    [10e9, 2.1e9, false],
  ])('a disk of %i bytes with %i free is nearly full: %s', (totalBytes, freeBytes, isFull) => {
    expect(findDisks([{ path: '/data', totalBytes, freeBytes }]).problems).toHaveLength(isFull ? 1 : 0);
  });
});
