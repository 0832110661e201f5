/** Values of these forms are secrets wherever they stand; the forms are those that their makers publish. */
const knownForms: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, 'an access key of AWS'],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w-]{20,})/, 'a token of a code host'],
  [/\bxox[abeprs]-[A-Za-z0-9-]{10,}/, 'a token of Slack'],
  [/\bAIza[\w-]{35}/, 'a key of Google'],
  [/\b[rs]k_live_[A-Za-z0-9]{16,}/, 'a key of Stripe'],
  [/\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/, 'a signed token (JWT)'],
  [/\b(?:Bearer|Basic)\s+(?=\S*\d)[A-Za-z0-9._~+/-]{16,}/, 'the credentials of a header'],
];

const keyWord =
  'passw(?:or)?d|passwd|pwd|passphrase|secret|token|credentials?|(?:api|access|secret|private|account)_?key';
/** The last word of a name says what its value is: `db_password` is a secret, `password_file` says where one is. */
const keyName = new RegExp(`(?:^|_)(?:${keyWord})$`);
/** `user:password@host` of an address. */
const userInfo = /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@'"]*:([^\s/@'"]+)@/i;
/** `?password=…` of an address, JDBC's too. */
const queryValue = new RegExp(`[?&;](?:\\w*_)?(?:${keyWord})=([^\\s&;'"]+)`, 'i');

/** What stands for a value that comes from elsewhere: empty, `${…}`, `{…}`, `<…>`, `***`, a path, a NAME_OF_THE_ENVIRONMENT. */
function isReference(value: string): boolean {
  return (
    /^(?:|none|null|true|false|x+|\*+|\.{3}|[%:$?]\w*)$/i.test(value) ||
    /[<{]|^\/|^file:|\s/.test(value) ||
    /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(value)
  );
}

/** `spark.hadoop.fs.s3a.secretKey` in one spelling: words in lower case between underscores. */
function spelled(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
}

/** True where a name like this should never have its value written down. */
export function isSecretName(name: string): boolean {
  return keyName.test(spelled(name));
}

/**
 * True for a word without any sense: one kind of letter follows the other as in no language and no name. Hashes (hex) and
 * UUIDs are no secrets, and an alphabet is in order.
 */
function isRandom(word: string): boolean {
  if (word.length < 24 || /^[0-9a-f]+$/i.test(word)) return false;
  const kindOf = (letter: string): number => (/[a-z]/.test(letter) ? 0 : /[A-Z]/.test(letter) ? 1 : 2);
  const letters = Array.from(word);
  const changes = letters.filter((letter, at) => at > 0 && kindOf(letter) !== kindOf(letters[at - 1] ?? ''));
  return changes.length / (letters.length - 1) >= 0.35 && new Set(letters.map(kindOf)).size === 3;
}

/** Why a text is taken for a secret, whatever its name; undefined where it is not. */
export function secretForm(text: string): string | undefined {
  for (const [form, what] of knownForms) if (form.test(text)) return `holds ${what}`;
  const inAddress = userInfo.exec(text)?.[1];
  if (inAddress !== undefined && !isReference(inAddress)) return 'holds the password of an address';
  const inQuery = queryValue.exec(text)?.[1];
  if (inQuery !== undefined && !isReference(inQuery)) return 'holds the password of an address';
  return text.split(/[^A-Za-z0-9]+/).some(isRandom) ? 'looks like a key: it is long and random' : undefined;
}

/** Why the value of a name is taken for a secret; undefined where it is not. */
export function secretLook(name: string, value: string): string | undefined {
  const form = secretForm(value);
  if (form !== undefined) return form;
  return isSecretName(name) && !isReference(value) ? `has the name of a secret, and a value` : undefined;
}

export interface SecretPlace {
  readonly line: number;
  readonly message: string;
}

/** `name = "value"`, `"name": "value"`, `option("name", "value")` and `name 'value'` as SQL writes options. */
const named = /(["'`]?)([A-Za-z_][\w.-]*)\1\s*(?:=>|[:=,]|(?=\s["']))\s*[rbRB]?(["'])((?:(?!\3).)*)\3/g;

/** Every line of a program or SQL file that holds what looks like a secret. */
export function secretsIn(text: string): SecretPlace[] {
  return text.split('\n').flatMap((content, index): SecretPlace[] => {
    const found = (what: string): SecretPlace[] => [{ line: index + 1, message: what }];
    for (const [, , name = '', , value = ''] of content.matchAll(named)) {
      const look = secretLook(name, value);
      if (look !== undefined) return found(`${name} ${look}`);
    }
    const form = secretForm(content);
    return form === undefined ? [] : found(`this line ${form}`);
  });
}
