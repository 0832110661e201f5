export interface FileEntry {
  readonly path: string;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
}

export interface FolderSummary {
  readonly files: number;
  readonly sizeBytes: number;
}

/** A file system that the cluster sees; paths are absolute (`/datalake/raw/crypto`), without scheme and host. */
export interface FileStore {
  makeFolder(path: string): Promise<void>;
  /** Writes the whole file, replacing one that is there. */
  write(path: string, content: Uint8Array): Promise<void>;
  read(path: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
  /** Of the whole content as it is stored now, in hexadecimal digits; undefined where there is no such file. */
  sha256(path: string): Promise<string | undefined>;
  /** The entry itself, or undefined where there is none. */
  stat(path: string): Promise<FileEntry | undefined>;
  /** The entries of a folder, in order of name; empty where the folder is missing. */
  list(path: string, signal?: AbortSignal): Promise<FileEntry[]>;
  /** What lies below a folder, all together; undefined where there is none. */
  summary(path: string): Promise<FolderSummary | undefined>;
  /** Moves a file or folder. @throws UnreachableError where `from` is missing or `to` is taken. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** What the NameNode reports of itself and of its DataNodes. */
export interface HdfsState {
  /** Why HDFS is read-only at the moment; undefined where it is not. */
  readonly safeMode: string | undefined;
  /** Of all DataNodes that are alive, bytes. */
  readonly capacityBytes: number;
  readonly remainingBytes: number;
  readonly liveDataNodes: number;
  /** Blocks of which no replica is alive. */
  readonly missingBlocks: number;
}
