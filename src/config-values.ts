import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

// The types of the settings' values: each checks one text, and its message says what is wrong without repeating a value.

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
export const url = z
  .url({ protocol: /^https?$/, error: 'is not an http(s) address' })
  .transform(withoutSlash);
export const archive = z
  .string()
  .min(1)
  .transform((text) => (/^[a-z]+:\/\//i.test(text) ? text : pathToFileURL(resolve(text)).href))
  .pipe(z.url({ protocol: /^(https?|file)$/, error: 'is neither an http(s) address nor a folder' }))
  .transform(withoutSlash);
export const streamUrl = z
  .url({ protocol: /^wss?$/, error: 'is not a ws(s) address' })
  .transform(withoutSlash)
  .optional();
export const port = z.coerce.number().int().min(1).max(65535);
export const symbolList = z
  .string()
  .transform((text) => [
    ...new Set(
      text
        .split(',')
        .map((part) => part.trim().toUpperCase())
        .filter((part) => part !== ''),
    ),
  ])
  .refine(
    (list) => list.length > 0 && list.every((name) => /^[A-Z0-9._-]{1,20}$/.test(name)),
    'is not a comma list of symbols',
  );
export const tableName = z
  .string()
  .regex(/^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$/, 'is not schema.table in lower case');
export const hdfsUrl = z
  .string()
  .regex(/^hdfs:\/\/[^/]+\/.+[^/]$/, 'is not an hdfs://host:port/path address');
export const optional = z.string().min(1).optional();
