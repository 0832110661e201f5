import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTemplateStore } from '../../src/adapters/templates.js';
import { renderJob } from '../../src/commands/render.js';
import { findJob } from '../../src/core/job.js';
import { shippedJobs } from '../support/submission-world.js';

const templates = createTemplateStore(resolve(import.meta.dirname, '../..'));
const range = ['from=2024-08-08T00:00:00Z', 'until=2024-08-09T00:00:00Z'];
const jobs = [
  { name: 'rebuild-bars', overrides: ['symbols=BTCUSDT,ETHUSDT', ...range] },
  { name: 'quality', overrides: ['day=2024-08-08'] },
];

describe.each(jobs)('the job $name', ({ name, overrides }) => {
  const { text } = renderJob(templates, findJob(name, shippedJobs), overrides);

  it('renders as it did', async () => {
    await expect(text).toMatchFileSnapshot(`files/${name}.py`);
  });

  it('reads a time that ends in Z on Python 3.10 too, which fromisoformat alone does not', () => {
    const calls = text.match(/fromisoformat\(.*/g) ?? [];
    expect(calls.filter((call) => !call.includes('+00:00'))).toEqual([]);
  });

  it('compiles', () => {
    execFileSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], { input: text });
  });
});
