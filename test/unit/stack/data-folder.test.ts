import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { ensureData, markerOf, type DataFolder } from '../../../src/stack/data-folder.js';

let base: string;
let data: DataFolder;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'data-folder-'));
  data = { server: 'Kafka', path: join(base, 'data'), marks: ['meta.properties', 'sub/file'] };
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const put = (folder: string, text: string): void => {
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'sub/file'), '');
  writeFileSync(join(folder, 'meta.properties'), text);
};
const ensure = (text = 'new'): Promise<void> =>
  ensureData(data, (folder) => {
    put(folder, text);
    return Promise.resolve();
  });
const content = (): string => readFileSync(join(data.path, 'meta.properties'), 'utf8');

describe('the data folder of a server', () => {
  it.each(['missing', 'empty'])('is made where it is %s', async (how) => {
    if (how === 'empty') mkdirSync(data.path);
    await ensure();
    expect(content()).toBe('new');
    expect(existsSync(`${data.path}.new`)).toBe(false);
    expect(existsSync(markerOf(data))).toBe(true);
  });

  it('is used without our marker beside it', async () => {
    put(data.path, 'old');
    await ensure();
    expect(content()).toBe('old');
    expect(existsSync(markerOf(data))).toBe(true);
  });

  it('is refused and kept when one of its own files is missing', async () => {
    put(data.path, 'old');
    rmSync(join(data.path, 'sub/file'));
    await expect(ensure()).rejects.toThrow(ConfigError);
    await expect(ensure()).rejects.toThrow(
      `${data.path} holds files that are no complete data of Kafka: there is no sub/file`,
    );
    expect(content()).toBe('old');
  });

  it.each(['missing', 'empty'])('is not made again when it was there before and is %s', async (how) => {
    await ensure();
    rmSync(data.path, { recursive: true });
    if (how === 'empty') mkdirSync(data.path);
    await expect(ensure()).rejects.toMatchObject({
      message: `The data of Kafka are missing: they were made in ${data.path}, which is empty`,
      nextStep: `Mount or restore the folder. To begin without data, remove ${markerOf(data)}.`,
    });
    expect(existsSync(join(data.path, 'meta.properties'))).toBe(false);
  });

  it('is made anew after a first try that was cut off', async () => {
    const cut = ensureData(data, (folder) => {
      mkdirSync(folder);
      writeFileSync(join(folder, 'half'), '');
      return Promise.reject(new Error('cut off'));
    });
    await expect(cut).rejects.toThrow('cut off');
    await ensure();
    expect(readdirSync(data.path).sort()).toEqual(['meta.properties', 'sub']);
  });

  it('may be a link to an empty folder elsewhere', async () => {
    const disk = join(base, 'disk');
    mkdirSync(join(disk, 'kafka'), { recursive: true });
    symlinkSync(join(disk, 'kafka'), data.path);
    await ensure();
    expect(readFileSync(join(disk, 'kafka', 'meta.properties'), 'utf8')).toBe('new');
  });

  it('is refused when it is a link that leads nowhere', async () => {
    symlinkSync(join(base, 'not-mounted'), data.path);
    await expect(ensure()).rejects.toThrow('is a symbolic link to a folder that does not exist');
  });
});
