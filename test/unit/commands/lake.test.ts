import { describe, expect, it } from 'vitest';
import { listLake } from '../../../src/commands/lake.js';
import { UsageError } from '../../../src/core/errors.js';
import type { Lake, LakeLeaf } from '../../../src/core/ports/lake.js';

const areas = { raw: '/datalake/raw/crypto', clean: '/datalake/clean/crypto' };
const leaf = (path: string, rows: number): LakeLeaf => ({ path, rows, files: 1, sizeBytes: rows * 10 });
const leaves = [
  leaf('/datalake/raw/crypto/dt=2024-08-08/hr=23/batch=g-0', 3),
  leaf('/datalake/raw/crypto/dt=2024-08-08/hr=23/batch=g-1', 4),
  leaf('/datalake/raw/crypto/dt=2024-08-09/hr=00/batch=g-1', 5),
  leaf('/datalake/clean/crypto/dt=2024-08-08/hr=23/batch=g-0', 2),
];
const lake: Lake = {
  leaves: (folder) => Promise.resolve(leaves.filter(({ path }) => `${path}/`.startsWith(`${folder}/`))),
};
const list = (path?: string, isByLeaf = false) => listLake(lake, { areas, path, isByLeaf });

describe('the list of the lake', () => {
  it('sums the leaves of each part by hour', async () => {
    expect(await list()).toEqual({
      folders: [
        { path: 'raw/dt=2024-08-08/hr=23', rows: 7, files: 2, sizeBytes: 70 },
        { path: 'raw/dt=2024-08-09/hr=00', rows: 5, files: 1, sizeBytes: 50 },
        { path: 'clean/dt=2024-08-08/hr=23', rows: 2, files: 1, sizeBytes: 20 },
      ],
      total: { rows: 14, files: 4, sizeBytes: 140 },
    });
  });

  it('shows each leaf when asked', async () => {
    const { folders } = await list('raw', true);
    expect(folders.map(({ path, rows }) => [path, rows])).toEqual([
      ['raw/dt=2024-08-08/hr=23/batch=g-0', 3],
      ['raw/dt=2024-08-08/hr=23/batch=g-1', 4],
      ['raw/dt=2024-08-09/hr=00/batch=g-1', 5],
    ]);
  });

  it.each(['raw/dt=2024-08-09', '/datalake/raw/crypto/dt=2024-08-09/'])(
    'takes a folder as %s',
    async (path) => {
      expect((await list(path)).folders).toEqual([
        { path: 'raw/dt=2024-08-09/hr=00', rows: 5, files: 1, sizeBytes: 50 },
      ]);
    },
  );

  it('is empty, and no error, where nothing was written yet', async () => {
    expect(await list('clean/dt=2030-01-01')).toEqual({
      folders: [],
      total: { rows: 0, files: 0, sizeBytes: 0 },
    });
  });

  it.each(['/etc', 'rawer', 'raw.d/x'])('refuses %s, which is outside of the lake', async (path) => {
    await expect(list(path)).rejects.toThrow(UsageError);
  });
});
