/**
 * A name of a pair as exchangeInfo lists it: letters and digits of any alphabet, `.`, `_` and `-`, 1 to 50 characters, such as
 * BTCUSDT and 币安人生USDT. `spark-sql/parsed.sql.hbs` has the same rule for the messages of the topic.
 */
export const symbolPattern = String.raw`[\p{L}\p{M}\p{N}._-]{1,50}`;

const wholeSymbol = new RegExp(`^${symbolPattern}$`, 'u');

/** True where the text is a symbol as the exchange writes it. */
export const isSymbol = (text: string): boolean => wholeSymbol.test(text) && text === upperCase(text);

/** In upper case as the exchange writes it: A to Z alone, since other alphabets change their length or their letter. */
export const upperCase = (symbol: string): string =>
  symbol.replace(/[a-z]/g, (letter) => letter.toUpperCase());

/** As the names of streams have it; A to Z alone. */
export const lowerCase = (symbol: string): string =>
  symbol.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** What a person typed as a comma list: each symbol once, in upper case, and what among it is none. */
export function readSymbolList(text: string): {
  readonly symbols: readonly string[];
  readonly wrong: string | undefined;
} {
  const parts = text.split(',').map((part) => upperCase(part.trim()));
  const symbols = [...new Set(parts.filter((part) => part !== ''))];
  return { symbols, wrong: symbols.find((symbol) => !isSymbol(symbol)) };
}

/** Why a list of symbols is refused, with the symbol; control characters of it are not repeated. */
export function symbolProblem({ symbols, wrong }: ReturnType<typeof readSymbolList>): string | undefined {
  if (symbols.length === 0) return 'names no symbol';
  if (wrong === undefined) return undefined;
  const shown = wrong.replace(/[\p{C}\p{Z}]/gu, '?').slice(0, 60);
  return `'${shown}' is not a symbol: it has letters, digits, dots, hyphens and underscores, 50 at most`;
}
