import { freeText, isNearlyFull } from './disk-space.js';
import type { HdfsState } from './ports/files.js';
import type { WarehouseState } from './ports/bars.js';
import type { Finding } from './report.js';

/** Whether HDFS can be written; `state` is undefined where its web address belongs to no NameNode (HttpFS, Knox). */
export function findHdfs(folders: readonly string[], state: HdfsState | undefined): Finding {
  const hasLake = folders.includes('/datalake');
  const space = state && { freeBytes: state.remainingBytes, totalBytes: state.capacityBytes };
  return {
    summary: [
      hasLake ? 'answers, the lake is there' : 'answers',
      ...(space === undefined ? [] : [`${state?.liveDataNodes ?? 0} DataNodes, ${freeText(space)} free`]),
    ].join('; '),
    problems: [
      ...(hasLake ? [] : ['there is no /datalake yet: run `cryptopipe init`']),
      ...(state === undefined ? [] : storageProblems(state)),
    ],
    facts: { folders, ...state },
  };
}

function storageProblems(state: HdfsState): string[] {
  const { safeMode, liveDataNodes, missingBlocks, remainingBytes: freeBytes, capacityBytes } = state;
  const space = { freeBytes, totalBytes: capacityBytes };
  return [
    ...(safeMode === undefined ? [] : [`HDFS is in safe mode and cannot be written: ${safeMode}`]),
    ...(liveDataNodes > 0
      ? isNearlyFull(space)
        ? [`HDFS is nearly full, ${freeText(space)} are free: remove data or add a disk`]
        : []
      : ['no DataNode is alive, so HDFS can be neither read nor written: `cryptopipe stack status`']),
    ...(missingBlocks > 0
      ? [
          `${missingBlocks} blocks of HDFS are on no DataNode that is alive: start the DataNodes that hold them`,
        ]
      : []),
  ];
}

/** Whether PostgreSQL answers and can be written. */
export function findPostgres(answerMs: number, { isStandby, isReadOnly }: WarehouseState): Finding {
  const why = isStandby
    ? 'PostgreSQL is a standby and cannot be written: set PGHOST to the primary, or wait for the failover'
    : 'PostgreSQL is read-only (default_transaction_read_only) and cannot be written: set that off';
  return {
    summary: `answered in ${answerMs} ms${isStandby || isReadOnly ? ', read-only' : ''}`,
    problems: isStandby || isReadOnly ? [why] : [],
    facts: { answerMs, isStandby, isReadOnly },
  };
}
