/** One folder of the lake that holds Parquet files. */
export interface LakeLeaf {
  /** Absolute, without scheme and host. */
  readonly path: string;
  readonly files: number;
  readonly rows: number;
  readonly sizeBytes: number;
}

/** The lake as its files say; what is being written (hidden folders and files) is not in it yet. */
export interface Lake {
  /** Every leaf below a folder, in order of path; none where the folder is missing or empty. */
  leaves(folder: string): Promise<LakeLeaf[]>;
}
