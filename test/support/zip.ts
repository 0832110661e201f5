import { crc32 } from './crc32.js';

/** A zip archive of stored (not compressed) files, as small as the format allows. */
export function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [nameBytes, bytes] = [Buffer.from(name), Buffer.from(text)];
    const sizes = Buffer.alloc(12);
    [crc32(bytes), bytes.length, bytes.length].forEach((value, index) =>
      sizes.writeUInt32LE(value, index * 4),
    );
    const nameLength = Buffer.from([nameBytes.length, 0, 0, 0]);
    const local = Buffer.concat([
      Buffer.from('504b03040a000000000000000000', 'hex'),
      sizes,
      nameLength,
      nameBytes,
      bytes,
    ]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([
        Buffer.from('504b01020a000a000000000000000000', 'hex'),
        sizes,
        nameLength,
        rest,
        nameBytes,
      ]),
    );
    parts.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
