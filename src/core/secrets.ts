import { ConfigError } from './errors.js';

/** A secret of the configuration. The setting's name may be said, its value never. */
export interface KnownSecret {
  readonly name: string;
  readonly value: string;
}

/** Words stand in every text; a value that may be one is looked for nowhere, or `postgres` would be found in every job. */
const isPlainWord = (value: string): boolean => value.length < 8 || /^[a-z]{1,15}$/.test(value);

/** Both alphabets, without the padding. */
function base64Of(text: string): string[] {
  const standard = btoa(String.fromCodePoint(...new TextEncoder().encode(text))).replace(/=+$/, '');
  return [standard, standard.replaceAll('+', '-').replaceAll('/', '_')];
}

/** The value, and how it looks inside JSON or Python, an address, and a base64 field. */
function formsOf(value: string): string[] {
  const inJson = JSON.stringify(value).slice(1, -1);
  return [...new Set([value, inJson, encodeURIComponent(value), ...base64Of(value)])];
}

/** Every form of every secret that is no plain word, longest first: one value may begin with another. */
function traces(secrets: readonly KnownSecret[]): { readonly name: string; readonly form: string }[] {
  return secrets
    .filter(({ value }) => !isPlainWord(value))
    .flatMap(({ name, value }) => formsOf(value).map((form) => ({ name, form })))
    .sort((a, b) => b.form.length - a.form.length);
}

/** The text with each secret replaced by the name of its setting. */
export function withoutSecrets(secrets: readonly KnownSecret[], text: string): string {
  return traces(secrets).reduce((clean, { name, form }) => clean.replaceAll(form, `<${name}>`), text);
}

/** What is inside is compressed: no value could be found in it. */
const archive = /\.(jar|zip|egg|whl)$/i;

/** Every text inside a value, with the way to it: `appArgs[3]`. Names of fields are texts too. */
function textsIn(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (value instanceof Uint8Array)
    return archive.test(path) ? [] : [{ path, text: new TextDecoder().decode(value) }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    { path: `the names of ${path}`, text: name },
    ...textsIn(inner, path === '' ? name : `${path}.${name}`),
  ]);
}

/** The line too, where there are many. */
function placeOf(path: string, text: string, form: string): string {
  const line = text.slice(0, text.indexOf(form)).split('\n').length;
  return text.includes('\n') ? `${path}, line ${line}` : path;
}

/**
 * The last guard before something leaves this computer: none of our own secrets may stand in it, since what Spark gets
 * is seen by all (arguments in `ps`, properties on a web page, files in HDFS).
 * @param parts by the name under which a message calls them; bytes are taken for text, but those of an archive are passed over
 * @throws ConfigError that names the setting and the place, never the value.
 */
export function requireNoSecret(
  secrets: readonly KnownSecret[],
  parts: Readonly<Record<string, unknown>>,
): void {
  const known = traces(secrets);
  for (const { path, text } of textsIn(parts, '')) {
    const found = known.find(({ form }) => text.includes(form));
    if (found === undefined) continue;
    const place = withoutSecrets(secrets, placeOf(path, text, found.form));
    throw new ConfigError(`The value of ${found.name} stands in ${place}`, {
      nextStep:
        'Nothing was sent. Take it out: a job reads secrets on the worker, from a file or its environment.',
    });
  }
}
