import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCatalogue, requireSound } from '../../src/adapters/job-catalogue.js';
import { manifestSchema } from '../../src/adapters/job-manifest.js';
import { createTemplateStore } from '../../src/adapters/templates.js';
import { renderJob } from '../../src/commands/render.js';
import { readDocument, repository } from '../support/documents.js';
import { compilesAsPython } from '../support/python.js';
import { connection } from '../support/submission-world.js';

const document = readDocument('docs/adding-a-job.md');
const example = 'test/fixtures/example-job/busiest-minutes';

describe('docs/adding-a-job.md', () => {
  it.each(['job.yaml', 'py.hbs'])('shows the %s that is tested', (extension) => {
    expect(document).toContain(readDocument(`${example}.${extension}`));
  });

  it('explains every entry of a manifest', () => {
    const missing = Object.keys(manifestSchema.shape).filter((name) => !document.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });

  it('names everything that a default may hold', () => {
    const missing = Object.keys(connection).filter((name) => !document.includes(`\${${name}}`));
    expect(missing).toEqual([]);
  });

  it('has an example that renders and compiles', () => {
    const [job] = requireSound(readCatalogue([join(repository, 'test/fixtures/example-job')], connection));
    if (job === undefined) throw new Error('there is no example job');
    const { text } = renderJob(createTemplateStore(repository), job, ['day=2026-01-01']);
    expect(text).toContain('ARGUMENTS = {"day": "2026-01-01", "limit": 10 }');
    compilesAsPython(text);
  });
});
