import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { readBrokerList } from './core/broker-list.js';
import { jdbcParameters, parseJdbcUrl } from './core/connection-values.js';
import { isLoopback, restKeyPattern } from './core/rest-key.js';
import { readSymbolList, symbolProblem } from './core/symbol.js';

// The types of the settings' values: each checks one text, and its message says what is wrong without repeating a value.

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
const hasNoPassword = (text: string): boolean =>
  !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === '');
export const url = z
  .url({ protocol: /^https?$/, error: 'is not an http(s) address' })
  .refine(hasNoPassword, 'holds a user or a password, and addresses are printed')
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
export const wholeNumber = (least: number, most: number) => {
  const error = `is not a whole number from ${least} to ${most}`;
  return z.coerce
    .number(error)
    .refine((value) => Number.isInteger(value) && value >= least && value <= most, error);
};
export const port = wholeNumber(1, 65_535);
/** A text that a reader of ours makes a value of, or says what is wrong with it. */
const readBy = <T>(read: (text: string) => { readonly value: T } | { readonly problem: string }) =>
  z.string().transform((text, context) => {
    const result = read(text);
    if ('value' in result) return result.value;
    context.addIssue({ code: 'custom', message: result.problem });
    return z.NEVER;
  });
export const symbolList = readBy((text) => {
  const list = readSymbolList(text);
  const problem = symbolProblem(list);
  return problem === undefined ? { value: [...list.symbols] } : { problem };
});
export const brokerList = readBy((text) => {
  const list = readBrokerList(text);
  return 'brokers' in list ? { value: list.brokers } : list;
});
export const oneHost = z
  .string()
  .regex(/^[^\s,@]+$/, 'is not one host; the command line and the jobs connect to one server');
export const tableName = z
  .string()
  .regex(/^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$/, 'is not schema.table in lower case');
export const hdfsUrl = z
  .string()
  .regex(/^hdfs:\/\/[^/]+\/.+[^/]$/, 'is not an hdfs://host:port/path address');
function isOneDatabase(text: string): boolean {
  try {
    return parseJdbcUrl(text).port <= 65_535;
  } catch {
    return false;
  }
}

const sslModeProblem =
  'is none of disable, require, verify-ca, verify-full; whether allow and prefer encrypt is left to the server, so they are not taken';
/** libpq's modes that are the same for every server. */
export const sslMode = z.enum(['disable', 'require', 'verify-ca', 'verify-full'], sslModeProblem);

/** A JDBC address is a parameter of the jobs, so it stands in texts that everybody may read. */
export const jdbcUrl = z
  .string()
  .refine(
    (text) => !/[?&](user|\w*password)=/i.test(text) && !/^[^?]*@/.test(text),
    'holds a user or a password; they belong in POSTGRES_USER and POSTGRES_PASSWORD',
  )
  .superRefine((text, context) => {
    const parameters = jdbcParameters(text);
    for (const name of parameters.keys())
      if (!['sslmode', 'sslrootcert', 'user'].includes(name) && !/password$/i.test(name))
        context.addIssue(`has the parameter ${name}, which the jobs would not use; leave it out`);
    const mode = parameters.get('sslmode');
    if (mode !== undefined && !sslMode.safeParse(mode).success)
      context.addIssue(`has the sslmode ${mode}, which ${sslModeProblem}`);
  })
  .refine(isOneDatabase, 'is not jdbc:postgresql://host:port/database with one host');
export const restKey = z.string().regex(restKeyPattern, 'is not base64url of at least 32 bytes').optional();
export const optional = z.string().min(1).optional();

/** Plain HTTP only where it stays on this computer: what is sent runs code on the workers, and so does whoever repeats it. */
export const restUrl = (isInsecureAllowed: boolean) =>
  url.refine((text) => isInsecureAllowed || text.startsWith('https:') || isLoopback(text), {
    error: `is plain HTTP to another computer, where a call's token can be overheard and used again to run code on the workers; use an SSH tunnel or a proxy with TLS, or allow it by CRYPTOPIPE_ALLOW_INSECURE_REST=true`,
  });
