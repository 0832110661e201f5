import { describe, expect, it } from 'vitest';
import { init } from '../../../src/commands/init.js';
import type { Schema } from '../../../src/core/ports/bars.js';
import type { Topics } from '../../../src/core/ports/topic.js';
import { fakeFiles } from '../../support/fake-files.js';

type FakeSchema = Schema & { readonly applied: string[]; readonly letIn: string[] };

function fakeSchema(names: readonly string[]): FakeSchema {
  const applied: string[] = [];
  const letIn: string[] = [];
  const pending = (): string[] => names.filter((name) => !applied.includes(name));
  return {
    applied,
    letIn,
    letReaderIn: (password) => {
      letIn.push(password);
      return Promise.resolve();
    },
    pending: () => Promise.resolve(pending()),
    migrate: () => {
      const now = pending();
      applied.push(...now);
      return Promise.resolve(now);
    },
    version: () => Promise.resolve(applied.at(-1)),
  };
}

function fakeTopics(): Topics & { readonly made: string[] } {
  const made: string[] = [];
  return {
    made,
    ensure: ({ isDryRun = false } = {}) => {
      const line = made.length > 0 ? 'is there' : isDryRun ? 'would be made' : 'made';
      if (!isDryRun && made.length === 0) made.push('crypto_raw');
      return Promise.resolve([`crypto_raw: ${line}`]);
    },
    offsets: () => Promise.resolve([]),
    produced: () => Promise.resolve({ cursors: [], producers: [] }),
    close: () => Promise.resolve(),
  };
}

const folders = ['/datalake/raw/crypto', '/jobs'];
const ports = () => ({
  topics: fakeTopics(),
  schema: fakeSchema(['0001_a.sql', '0002_b.sql']),
  files: fakeFiles(),
});
const run = (made: ReturnType<typeof ports>, isDryRun = false, readerPassword?: string) =>
  init(
    { topics: made.topics, schema: made.schema, files: made.files.store },
    { folders, isDryRun, readerPassword },
  );

describe('init', () => {
  it('makes topics, schema and folders, and says which were missing', async () => {
    const made = ports();
    await made.files.store.makeFolder('/jobs');
    expect(await run(made)).toEqual({
      isDryRun: false,
      topics: ['crypto_raw: made'],
      migrations: ['0001_a.sql', '0002_b.sql'],
      schemaVersion: '0002_b.sql',
      folders: [
        { path: '/datalake/raw/crypto', isNew: true },
        { path: '/jobs', isNew: false },
      ],
      isReaderLetIn: false,
    });
    expect([...made.files.folders].sort()).toEqual(folders);
  });

  it('lets the reader in where a password is set, and not with a dry run', async () => {
    const made = ports();
    expect(await run(made, true, 'x')).toMatchObject({ isReaderLetIn: false });
    expect(made.schema.letIn).toEqual([]);
    expect(await run(made, false, 'x')).toMatchObject({ isReaderLetIn: true });
    expect(made.schema.letIn).toEqual(['x']);
  });

  it('finds everything there the second time', async () => {
    const made = ports();
    await run(made);
    expect(await run(made)).toMatchObject({
      topics: ['crypto_raw: is there'],
      migrations: [],
      schemaVersion: '0002_b.sql',
      folders: folders.map((path) => ({ path, isNew: false })),
    });
  });

  it('changes nothing with a dry run', async () => {
    const made = ports();
    const report = await run(made, true);
    expect(report.topics).toEqual(['crypto_raw: would be made']);
    expect(report.migrations).toEqual(['0001_a.sql', '0002_b.sql']);
    expect([made.topics.made, made.schema.applied, [...made.files.folders]]).toEqual([[], [], []]);
  });

  it.each([
    ['topics', { topics: ['crypto_raw: made'] }, { topics: 1, applied: 0, folders: 0 }],
    ['tables', { migrations: ['0001_a.sql', '0002_b.sql'] }, { topics: 0, applied: 2, folders: 0 }],
    [
      'folders',
      { folders: folders.map((path) => ({ path, isNew: true })) },
      { topics: 0, applied: 0, folders: 2 },
    ],
  ] as const)('makes %s alone where nothing else is asked for', async (only, report, counts) => {
    const made = ports();
    const { topics, schema, files } = made;
    const nothing = { topics: [], migrations: [], folders: [], isReaderLetIn: false };
    expect(await init({ topics, schema, files: files.store }, { folders, isDryRun: false, only })).toEqual({
      ...{ isDryRun: false, schemaVersion: only === 'tables' ? '0002_b.sql' : undefined },
      ...{ ...nothing, ...report },
    });
    expect({
      topics: topics.made.length,
      applied: schema.applied.length,
      folders: [...files.folders].length,
    }).toEqual(counts);
  });
});
