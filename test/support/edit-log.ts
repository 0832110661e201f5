import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';

const editor = 'org.apache.hadoop.hdfs.tools.offlineEditsViewer.OfflineEditsViewer';
const nameNode = 'org.apache.hadoop.hdfs.server.namenode.NameNode';
const padded = (transaction: number): string => String(transaction).padStart(19, '0');
/** Ids below belong to the root and to the system. */
const firstInode = 16_386;
/** Of each folder: made, its mode changed, renamed, deleted. Nothing stays, so that the memory of the NameNode does not matter. */
const perFolder = 4;

/** The command line of a running Java program, without its main class: what runs another class of the same jars. */
export function javaCommandOf(pid: number): string[] {
  const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  return line.slice(0, line.indexOf(nameNode));
}

/** The newest transaction in the NameNode's images, where `prefix` is `fsimage_`, or else in its edits; -1 without any. */
export const newestTransaction = (folder: string, prefix: string): number =>
  Math.max(
    -1,
    ...readdirSync(folder)
      .filter((name) => name.startsWith(prefix) && /\d$/.test(name))
      .map((name) => Number(/(\d+)$/.exec(name)?.[1])),
  );

/**
 * Replaces the edits of a stopped NameNode that has none by so many transactions, which Hadoop's own tool writes from XML.
 * @param folder `name/current`.
 */
export async function writeEdits(
  folder: string,
  transactions: number,
  command: readonly string[],
): Promise<void> {
  const layout = /layoutVersion=(-\d+)/.exec(readFileSync(join(folder, 'VERSION'), 'utf8'))?.[1] ?? '';
  const xml = join(folder, '..', 'edits.xml');
  await pipeline(Readable.from(editsXml(layout, transactions)), createWriteStream(xml));
  for (const name of readdirSync(folder)) if (name.startsWith('edits')) await rm(join(folder, name));
  const edits = join(folder, `edits_${padded(1)}-${padded(transactions)}`);
  const [file = '', ...args] = command;
  await execa(file, [...args, editor, '-p', 'binary', '-i', xml, '-o', edits], { timeout: 400_000 });
  await rm(xml);
}

function* editsXml(layout: string, transactions: number): Generator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<EDITS><EDITS_VERSION>${layout}</EDITS_VERSION>\n`;
  yield record('OP_START_LOG_SEGMENT', 1, '');
  const folders = Math.floor((transactions - 2) / perFolder);
  for (let index = 0; index < folders; index++) yield folderRecords(index);
  for (let id = 2 + folders * perFolder; id < transactions; id++)
    yield record('OP_SET_PERMISSIONS', id, '<SRC>/</SRC><MODE>493</MODE>');
  yield record('OP_END_LOG_SEGMENT', transactions, '');
  yield '</EDITS>\n';
}

const record = (code: string, transaction: number, data: string): string =>
  `<RECORD><OPCODE>${code}</OPCODE><DATA><TXID>${transaction}</TXID>${data}</DATA></RECORD>\n`;

function folderRecords(index: number): string {
  const first = 2 + index * perFolder;
  const [made, moved, time] = [`/made-${index}`, `/moved-${index}`, 1_700_000_000_000 + index];
  const owner =
    '<PERMISSION_STATUS><USERNAME>test</USERNAME><GROUPNAME>supergroup</GROUPNAME><MODE>493</MODE></PERMISSION_STATUS>';
  const stamp = `<TIMESTAMP>${time}</TIMESTAMP>`;
  return [
    record(
      'OP_MKDIR',
      first,
      `<LENGTH>0</LENGTH><INODEID>${firstInode + index}</INODEID><PATH>${made}</PATH>${stamp}${owner}`,
    ),
    record('OP_SET_PERMISSIONS', first + 1, `<SRC>${made}</SRC><MODE>448</MODE>`),
    record('OP_RENAME_OLD', first + 2, `<LENGTH>0</LENGTH><SRC>${made}</SRC><DST>${moved}</DST>${stamp}`),
    record('OP_DELETE', first + 3, `<LENGTH>0</LENGTH><PATH>${moved}</PATH>${stamp}`),
  ].join('');
}
