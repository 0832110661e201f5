import { UsageError } from '../core/errors.js';
import type { Lake, LakeLeaf } from '../core/ports/lake.js';

/** The lake's parts and where each lies, as absolute paths without scheme and host. */
export type LakeAreas = Readonly<Record<string, string>>;

/** A folder with everything below it; `path` begins with the name of its part: `raw/dt=…/hr=…`. */
export type LakeFolder = LakeLeaf;

export interface LakeReport {
  readonly folders: readonly LakeFolder[];
  readonly total: Omit<LakeFolder, 'path'>;
}

export interface LakeOptions {
  readonly areas: LakeAreas;
  /** Begins with a part's name (`clean/dt=2024-08-08`), or is absolute; undefined means the whole lake. */
  readonly path: string | undefined;
  /** True lists every leaf, false sums them up by hour. */
  readonly isByLeaf: boolean;
}

/** What lies in the lake: rows, files and sizes. @throws UsageError for a path outside of the lake. */
export async function listLake(lake: Lake, options: LakeOptions): Promise<LakeReport> {
  const folders: LakeFolder[] = [];
  for (const { area, root, folder } of foldersToRead(options)) {
    const leaves = await lake.leaves(folder);
    const named = leaves.map((leaf) => ({ ...leaf, path: `${area}${leaf.path.slice(root.length)}` }));
    folders.push(...(options.isByLeaf ? named : sumByHour(named)));
  }
  return { folders, total: sum(folders) };
}

interface FolderToRead {
  readonly area: string;
  /** Of the part. */
  readonly root: string;
  readonly folder: string;
}

function foldersToRead({ areas, path }: LakeOptions): FolderToRead[] {
  const all = Object.entries(areas).map(([area, root]) => ({ area, root, folder: root }));
  if (path === undefined) return all;
  const clean = path.replace(/\/+$/, '');
  const absolute = clean.startsWith('/') ? clean : `/${clean}`;
  for (const { area, root } of all)
    for (const prefix of [root, `/${area}`])
      if (absolute === prefix || absolute.startsWith(`${prefix}/`))
        return [{ area, root, folder: root + absolute.slice(prefix.length) }];
  throw new UsageError(`"${path}" is not in the lake`, {
    nextStep: `Begin with one of its parts: ${Object.keys(areas).join(', ')}, as in \`cryptopipe lake ls raw/dt=2024-08-08\`.`,
  });
}

/** The part of a path down to its hour: `raw/dt=…/hr=…/batch=…` becomes `raw/dt=…/hr=…`. */
function sumByHour(leaves: readonly LakeLeaf[]): LakeFolder[] {
  const byHour = new Map<string, LakeLeaf[]>();
  for (const leaf of leaves) {
    const hour = /^.*?\/hr=[^/]+/.exec(leaf.path)?.[0] ?? leaf.path;
    byHour.set(hour, [...(byHour.get(hour) ?? []), leaf]);
  }
  return [...byHour].map(([path, inHour]) => ({ path, ...sum(inHour) }));
}

function sum(leaves: readonly LakeLeaf[]): Omit<LakeFolder, 'path'> {
  return leaves.reduce(
    (total, { files, rows, sizeBytes }) => ({
      files: total.files + files,
      rows: total.rows + rows,
      sizeBytes: total.sizeBytes + sizeBytes,
    }),
    { files: 0, rows: 0, sizeBytes: 0 },
  );
}
