import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTemplateStore } from '../../src/adapters/templates.js';
import { renderJob, workOf } from '../../src/commands/render.js';
import { sqlWork } from '../../src/commands/sql-work.js';
import { findJob } from '../../src/core/job.js';
import { stdoutTarget } from '../../src/core/sql-output.js';
import { submissionRequest } from '../../src/core/submission.js';
import { compilesAsPython } from '../support/python.js';
import { cluster, shippedJobs, streaming } from '../support/submission-world.js';

const templates = createTemplateStore(resolve(import.meta.dirname, '../..'));
const runId = '20261123t211500-ab12cd';

describe('the job behind submit sql', () => {
  const text = '-- :day date\nSELECT count(*) AS trades\nFROM clean WHERE CAST(event_timestamp AS DATE) = :day;\n';
  const call = { file: 'trades.sql', text, overrides: ['day=2026-01-01'], target: stdoutTarget, resources: {} };
  const work = sqlWork(templates, findJob('sql', shippedJobs), call);
  const rendered = new TextDecoder().decode(work.files[0]?.content);

  it('renders as it did, and compiles', async () => {
    await expect(rendered).toMatchFileSnapshot('files/sql.py');
    compilesAsPython(rendered);
  });

  it('is booked by its file, its target and its parameters', () => {
    expect(work.parameters).toEqual({ file: 'trades.sql', to: 'stdout', ':day': '2026-01-01' });
  });
});

describe('the streaming job', () => {
  const rendered = renderJob(templates, streaming, []);
  const work = workOf(templates, streaming, []);
  const request = submissionRequest({ work, runId, hdfsRoot: 'hdfs://localhost:8020' }, cluster);

  it('renders as it did', async () => {
    await expect(rendered.text).toMatchFileSnapshot('files/streaming.py');
  });

  it('says first where it comes from', () => {
    expect(rendered.text.split('\n', 1)[0]).toBe(
      '# Rendered by cryptopipe from templates/streaming.py.hbs; edit the template, not this file.',
    );
  });

  it('renders to the same text each time, and to another for other values', () => {
    expect(renderJob(templates, streaming, [])).toEqual(rendered);
    expect(renderJob(templates, streaming, ['mode=available-now']).sha256).not.toBe(rendered.sha256);
  });

  it('compiles', () => {
    compilesAsPython(rendered.text);
  });

  it('is submitted by the same request as ever', async () => {
    const body = JSON.stringify(request, null, 2).replaceAll(rendered.sha256, '<sha256>');
    await expect(`${body}\n`).toMatchFileSnapshot('files/streaming-request.json');
    expect(work.program.address).toBe(`/jobs/${rendered.sha256}/streaming.py`);
  });

  it('has an application name that begins with the job and ends with the run id', () => {
    const name = request.sparkProperties['spark.app.name'] ?? '';
    expect(name).toBe(`CryptoStreamingJob-${runId}`);
    expect(request.appArgs.slice(request.appArgs.indexOf('--name'))[1]).toBe(name);
    expect(request.appArgs.at(-1)).toBe(runId);
  });
});
