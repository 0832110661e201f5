import { ConfigError } from './errors.js';

/** A secret of the configuration. The setting's name may be said, its value never. */
export interface KnownSecret {
  readonly name: string;
  readonly value: string;
}

/** Words stand in every text; a value that may be one is looked for nowhere, or `postgres` would be found in every job. */
const isPlainWord = (value: string): boolean => value.length < 8 || /^[a-z]{1,15}$/.test(value);

/** How a value looks inside something else, by the name of the form; a form may have several spellings. */
const encodings: Readonly<Record<string, (value: string) => readonly string[]>> = {
  plain: (value) => [value],
  json: (value) => [inJson(value), inAscii(inJson(value)), inJson(inJson(value))],
  sql: (value) => [value.replaceAll("'", "''")],
  shell: (value) => [value.replaceAll("'", "'\\''")],
  url: (value) => [encodeURIComponent(value), encodeURI(value), inForm(value)].flatMap(bothCases),
  xml: (value) => xmlSpellings.map((spelling) => inXml(value, spelling)),
  hex: (value) => [hexOf(value), hexOf(value).toUpperCase()],
  base64: (value) => [0, 1, 2].flatMap((offset) => base64Of(value, offset)),
};

const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);

/** As Python's `json.dumps` writes it: no character beyond ASCII. */
const inAscii = (text: string): string =>
  text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** `application/x-www-form-urlencoded`, as browsers and Java's URLEncoder write it. */
const inForm = (value: string): string =>
  encodeURIComponent(value)
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const bothCases = (text: string): string[] => [
  text,
  text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
];

/** Text between two tags needs three characters escaped, an attribute five; writers differ in how. */
const xmlSpellings: readonly Readonly<Record<string, string>>[] = [
  {},
  { '"': '&quot;' },
  { '"': '&quot;', "'": '&apos;' },
  { '"': '&quot;', "'": '&#39;' },
  { '"': '&quot;', "'": '&#x27;' },
  { '"': '&#34;', "'": '&#39;' },
];
const inXml = (value: string, spelling: Readonly<Record<string, string>>): string =>
  value.replace(
    /[&<>"']/g,
    (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', ...spelling })[mark] ?? mark,
  );

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const hexOf = (value: string): string =>
  Array.from(bytesOf(value), (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * In both alphabets and without padding, as it looks `offset` bytes after a multiple of three: of the characters at the
 * edges that also hold bits of the neighbours only the last one of a value that ends the text is kept, as a second form.
 */
function base64Of(value: string, offset: number): string[] {
  const bytes = bytesOf(value);
  const padded = btoa(String.fromCodePoint(...new Uint8Array(offset), ...bytes)).replace(/=+$/, '');
  const start = Math.ceil((offset * 8) / 6);
  const inside = padded.slice(start, Math.floor(((offset + bytes.length) * 8) / 6));
  return [padded.slice(start), inside].flatMap((text) => [
    text,
    text.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
}

interface Trace {
  readonly name: string;
  readonly form: string;
}

const known = new WeakMap<readonly KnownSecret[], readonly Trace[]>();

/** Every form of every secret that is no plain word, longest first: one value may begin with another. */
function traces(secrets: readonly KnownSecret[]): readonly Trace[] {
  const found = known.get(secrets) ?? findTraces(secrets);
  known.set(secrets, found);
  return found;
}

function findTraces(secrets: readonly KnownSecret[]): Trace[] {
  return secrets
    .filter(({ value }) => !isPlainWord(value))
    .flatMap(({ name, value }) => {
      const forms = Object.values(encodings).flatMap((spell) => spell(value));
      return [...new Set(forms)].map((form) => ({ name, form }));
    })
    .sort((a, b) => b.form.length - a.form.length);
}

/** The text with each secret replaced by the name of its setting. */
export function withoutSecrets(secrets: readonly KnownSecret[], text: string): string {
  return traces(secrets).reduce((clean, { name, form }) => clean.replaceAll(form, `<${name}>`), text);
}

/**
 * The length of the longest end of the text with which a secret may begin: what comes next decides. Zero where the text
 * cannot be the first part of one.
 */
export function openEndOf(secrets: readonly KnownSecret[], text: string): number {
  const lengths = traces(secrets).map(({ form }) => {
    for (let length = Math.min(form.length - 1, text.length); length > 0; length -= 1)
      if (text.endsWith(form.slice(0, length))) return length;
    return 0;
  });
  return Math.max(0, ...lengths);
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
  const forms = traces(secrets);
  for (const { path, text } of textsIn(parts, '')) {
    const found = forms.find(({ form }) => text.includes(form));
    if (found === undefined) continue;
    const place = withoutSecrets(secrets, placeOf(path, text, found.form));
    throw new ConfigError(`The value of ${found.name} stands in ${place}`, {
      nextStep:
        'Nothing was sent. Take it out: a job reads secrets on the worker, from a file or its environment.',
    });
  }
}
