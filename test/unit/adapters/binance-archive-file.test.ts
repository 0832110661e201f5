import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  archiveTimeMs,
  dailyArchivePath,
  openArchiveFile,
  type ArchiveFile,
} from '../../../src/adapters/binance-archive-file.js';
import type { ArchiveSource } from '../../../src/adapters/binance-archive-source.js';
import { archiveFolder, type ArchiveFolder } from '../../support/archive-folder.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { Outages } from '../../../src/core/outages.js';
import { standIn, type Handler } from '../../support/rest-stand-in.js';

const path = dailyArchivePath('aggTrades', 'BTCUSDT', '2024-08-08');
const header = 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n';
const csv = '1,60000.1,0.5,10,12,1723075200000,True,True\n2,60000.2,0.5,13,13,1723075200001,False,True\n';
const cells = csv
  .trim()
  .split('\n')
  .map((line) => line.split(','));

let archive: ArchiveFolder;
beforeEach(() => {
  archive = archiveFolder();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(archive.folder, { recursive: true });
});

async function readAll(source: ArchiveSource): Promise<string[][]> {
  const file = await openArchiveFile(source, path);
  try {
    const all: string[][] = [];
    for await (const { rows } of (file as ArchiveFile).rows()) all.push(...rows.map((row) => [...row]));
    return all;
  } finally {
    await file?.close();
  }
}

describe('a file of the archive, in a folder', () => {
  it('has the path of the exchange', () => {
    expect(path).toBe('data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-08-08.zip');
    expect(dailyArchivePath('1m', 'ETHBTC', '2025-01-01')).toBe(
      'data/spot/daily/klines/ETHBTC/1m/ETHBTC-1m-2025-01-01.zip',
    );
  });

  it.each([
    ['no header', csv],
    ['a header', header + csv],
    ['a byte order mark and Windows line ends', `\uFEFF${header}${csv}`.replaceAll('\n', '\r\n')],
    ['no end of its last line', csv.trimEnd()],
  ])('gives its rows with %s', async (_what, text) => {
    archive.add(path, text);
    expect(await readAll(archive)).toEqual(cells);
  });

  it('numbers lines as an editor does', async () => {
    archive.add(path, header + csv);
    const file = await openArchiveFile(archive, path);
    expect((await file!.rows().next()).value).toMatchObject({ firstLine: 2 });
    await file!.close();
  });

  it('is undefined where the archive has none', async () => {
    expect(await openArchiveFile(archive, path)).toBeUndefined();
  });

  it('refuses a wrong checksum, and one that is missing, before it gives a row', async () => {
    archive.add(path, csv, `${'0'.repeat(64)}  x.zip`);
    await expect(readAll(archive)).rejects.toMatchObject({ exitCode: 5, message: /says 0{64}$/ });
    archive.add(path, csv, 'nothing');
    await expect(readAll(archive)).rejects.toThrow('has no CHECKSUM file with a SHA-256');
    rmSync(join(archive.folder, `${path}.CHECKSUM`));
    await expect(readAll(archive)).rejects.toThrow('has no CHECKSUM file with a SHA-256');
  });

  it('says which file is no zip, or has a line without an end', async () => {
    archive.add(path, '', `${createHash('sha256').update('no zip').digest('hex')}  x`);
    writeFileSync(join(archive.folder, path), 'no zip');
    await expect(readAll(archive)).rejects.toMatchObject({
      exitCode: 5,
      message: /cannot be read at line 1/,
    });
    archive.add(path, 'x'.repeat(200_000));
    await expect(readAll(archive)).rejects.toMatchObject({
      exitCode: 5,
      message: /line 1: the line has no end/,
    });
  });
});

describe('a file of the archive, over HTTP', () => {
  const serve: Handler = (_request, response, url) => {
    const file = join(archive.folder, url.pathname);
    if (existsSync(file)) createReadStream(file).pipe(response);
    else response.writeHead(404).end();
  };
  async function over(handler: Handler, silenceMs = 2_000): Promise<string[][]> {
    const server = await standIn(handler);
    try {
      return await readAll({
        url: server.url,
        silenceMs,
        patience: { clock: new VirtualClock(), outages: new Outages(), giveUpAfterMs: 10_000 },
      });
    } finally {
      await server.close();
    }
  }

  it('gives the same rows, and leaves nothing on the disk', async () => {
    const long = Array.from(
      { length: 20_000 },
      (_, id) => `${id},1.5,2.5,${id},${id},1723075200000,True,True`,
    );
    archive.add(path, `${long.join('\n')}\n`);
    vi.stubEnv('TMPDIR', join(archive.folder, 'data'));
    expect(await over(serve)).toEqual(long.map((line) => line.split(',')));
    expect(readdirSync(join(archive.folder, 'data'))).toEqual(['spot']);
  });

  it('tries again after a connection that broke in the middle, and after 503', async () => {
    archive.add(path, csv);
    const faults: Handler[] = [
      (_request, response) => {
        response.writeHead(200, { 'content-length': '500' });
        response.write('PK');
        setTimeout(() => response.destroy(), 20);
      },
      (_request, response) => response.writeHead(503).end(),
    ];
    const faulty: Handler = (request, response, url) => (faults.shift() ?? serve)(request, response, url);
    expect(await over(faulty)).toEqual(cells);
  });

  it('ends with 4 where the server stays silent or refuses', async () => {
    const silent: Handler = (_request, response) => {
      response.writeHead(200, { 'content-length': '500' });
      response.write('PK');
    };
    await expect(over(silent, 100)).rejects.toMatchObject({
      exitCode: 4,
      message: /nothing came for 0.1 s/,
    });
    await expect(over((_request, response) => response.writeHead(403).end())).rejects.toMatchObject({
      exitCode: 4,
      message: /answered 403/,
    });
  });
});

describe('a time of the archive', () => {
  it('is ms before 2025 and µs after, floored', () => {
    expect(archiveTimeMs('1735689599999')).toBe(1735689599999);
    expect(archiveTimeMs('1735689600000999')).toBe(1735689600000);
    expect(archiveTimeMs('1735689600.5')).toBeUndefined();
  });
});
