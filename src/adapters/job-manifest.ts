import { z } from 'zod';
import { usualResources } from '../core/job.js';

/** Everything in a manifest is read as text, so that `1.10` stays what was written and no `no` becomes false. */
const flag = z.enum(['true', 'false'], 'is neither true nor false').transform((text) => text === 'true');
const count = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, 'is not a whole number from 1 to 9999')
  .transform(Number);
const memory = z.string().regex(/^[1-9]\d*[mg]$/, 'is not memory as Spark takes it: 512m or 2g');
const line = z.string().regex(/^[^\p{Cc}]+$/u, 'is not one line of text');
const columns = z
  .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'is no name of a column'))
  .min(1, 'is empty');
const texts = z.array(line).min(1, 'is empty');

const parameterBase = {
  name: z.string().regex(/^[a-z][a-z0-9_]{0,59}$/, 'is not a name in snake_case'),
  meaning: line,
  default: z.string().optional(),
};
const bounded = { ...parameterBase, min: line.optional(), max: line.optional() };

function wholePattern(source: string, context: z.RefinementCtx): RegExp {
  try {
    return new RegExp(`^(?:${source})$`, 'u');
  } catch (error) {
    context.addIssue({ code: 'custom', message: `is no regular expression: ${(error as Error).message}` });
    return z.NEVER;
  }
}

const parameter = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      ...parameterBase,
      type: z.literal('text'),
      pattern: z.string().transform(wholePattern).optional(),
      lines: flag.optional(),
    }),
    z.strictObject({ ...bounded, type: z.enum(['integer', 'decimal', 'date', 'time']) }),
    z.strictObject({ ...parameterBase, type: z.literal('boolean') }),
    z.strictObject({ ...parameterBase, type: z.literal('choice'), choices: texts }),
    z.strictObject({ ...parameterBase, type: z.literal('url'), schemes: texts }),
  ],
  'is not one of text, integer, decimal, boolean, choice, url, date, time',
);

/** A manifest `<name>.job.yaml`: what a person writes to describe a job. */
export const manifestSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'is not a name in lower case, with digits and dashes'),
  meaning: line,
  app_name: z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,59}$/, 'is not a name of letters and digits'),
  template: z
    .string()
    .regex(/^[A-Za-z0-9_-]+\.(py|sql)\.hbs$/, 'is not a file name that ends in .py.hbs or .sql.hbs'),
  to: line.optional(),
  key: columns.optional(),
  partition_by: columns.optional(),
  overwrite: flag.optional(),
  single: flag.default(false),
  supervise: flag.default(false),
  resources: z
    .strictObject({
      driver_cores: count.default(usualResources.driverCores),
      driver_memory: memory.default(usualResources.driverMemory),
      executor_cores: count.default(usualResources.executorCores),
      executor_memory: memory.default(usualResources.executorMemory),
      cores_max: count.default(usualResources.coresMax),
    })
    .prefault({}),
  spark: z.record(z.string().regex(/^spark\.[\w.-]+$/, 'is no Spark setting'), line).default({}),
  parameters: z.array(parameter).default([]),
  checkpoint: z
    .strictObject({ parameter: z.string(), belongs_to: z.array(z.string()).default([]) })
    .optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
