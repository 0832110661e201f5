/** Where the variables of one value come from, and who is told of those that do not. */
export interface Variables {
  readonly lookUp: (name: string) => string | undefined;
  /** Called for a variable that is not set and becomes an empty text. */
  readonly isUnset: () => void;
  /** Called with what is wrong; the value is then not used. */
  readonly problem: (what: string) => void;
}

const variable = /\$(?:\$|([a-z_][a-z0-9_]*)|\{)/gi;
const braced = /\$\{([a-z_][a-z0-9_]*)(?:\}|(:?)([-+?]))/iy;

/**
 * Replaces `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`, `${NAME+other}`, `${NAME:?reason}`,
 * `${NAME?reason}` and `$$`, which is a dollar sign, as the package `template` of compose-go does. A default may hold variables.
 */
export function expandVariables(text: string, variables: Variables): string {
  let [expanded, at] = ['', 0];
  for (;;) {
    variable.lastIndex = at;
    const match = variable.exec(text);
    if (match === null) return expanded + text.slice(at);
    expanded += text.slice(at, match.index);
    at = match.index + match[0].length;
    if (match[0] === '$$') expanded += '$';
    else if (match[1] !== undefined) expanded += valueOf(match[1], variables);
    else {
      const part = expandBraces(text, match.index, variables);
      if (part === undefined) {
        variables.problem('has braces after a dollar sign that are no variable; `$$` is a dollar sign');
        return '';
      }
      expanded += part.value;
      at = part.end;
    }
  }
}

function valueOf(name: string, { lookUp, isUnset }: Variables): string {
  const value = lookUp(name);
  if (value === undefined) isUnset();
  return value ?? '';
}

/** The value of `${…}` at a place and where it ends; undefined where it is none. */
function expandBraces(
  text: string,
  from: number,
  variables: Variables,
): { readonly value: string; readonly end: number } | undefined {
  braced.lastIndex = from;
  const match = braced.exec(text);
  if (match === null) return undefined;
  const [whole, name = '', colon, operator] = match;
  const inside = from + whole.length;
  if (operator === undefined) return { value: valueOf(name, variables), end: inside };
  const closing = closingBrace(text, from);
  if (closing < inside) return undefined;
  const value = variables.lookUp(name);
  const isThere = value !== undefined && (colon === '' || value !== '');
  const other = (): string => expandVariables(text.slice(inside, closing), variables);
  return { value: chosen(operator, { name, value, isThere, other, variables }), end: closing + 1 };
}

function chosen(
  operator: string,
  given: {
    readonly name: string;
    readonly value: string | undefined;
    readonly isThere: boolean;
    readonly other: () => string;
    readonly variables: Variables;
  },
): string {
  const { name, value = '', isThere, other, variables } = given;
  if (operator === '+') return isThere ? other() : value;
  if (isThere) return value;
  if (operator === '-') return other();
  variables.problem(`needs the variable ${name}, which is not set`);
  return '';
}

/** The brace that closes the one at a place, on the same line; the line's last one where they are not in pairs; else -1. */
function closingBrace(text: string, from: number): number {
  const line = text.slice(0, text.indexOf('\n', from) < 0 ? undefined : text.indexOf('\n', from));
  const last = line.lastIndexOf('}');
  let open = 0;
  for (let at = from; at < last; at += 1) {
    if (line[at] === '}' && --open === 0) return at;
    // Compose does not look at the character after an opening brace.
    if (line[at] === '{') [open, at] = [open + 1, at + 1];
  }
  return last;
}
