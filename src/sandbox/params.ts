import { symbolPattern } from '../core/symbol.js';
import { ApiError } from './api-error.js';

const NUMBER = /^[0-9]{1,20}$/;
// The exchange writes symbols in upper case, as far as an alphabet has one.
const NAME = `(?![^",]*[a-z])${symbolPattern}`;
const SYMBOL = new RegExp(`^${NAME}$`, 'u');
const SYMBOLS = new RegExp(`^\\[("${NAME}"(,"${NAME}")*)?\\]$`, 'u');
/** Times with 16 digits are µs, those with 13 are ms. */
const FIRST_MICROSECOND_TIME = 1e15;

/** The parameters of one request; each is read once, and at the end all must have been read. */
export class Params {
  private readonly read = new Set<string>();
  private readonly sent: number;

  constructor(private readonly values: URLSearchParams) {
    this.sent = [...values.keys()].length;
    if (new Set(values.keys()).size !== this.sent)
      throw new ApiError(-1101, 'Duplicate values for a parameter detected.');
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  text(name: string, legal?: RegExp): string | undefined {
    const value = this.values.get(name);
    if (value === null) return undefined;
    this.read.add(name);
    if (value === '') throw new ApiError(-1105, `Parameter '${name}' was empty.`);
    if (legal !== undefined && !legal.test(value))
      throw new ApiError(
        -1100,
        `Illegal characters found in parameter '${name}'; legal range is '${legal.source}'.`,
      );
    return value;
  }

  required(name: string, legal?: RegExp): string {
    const value = this.text(name, legal);
    if (value === undefined)
      throw new ApiError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);
    return value;
  }

  symbol(): string {
    return this.required('symbol', SYMBOL);
  }

  optionalSymbol(): string | undefined {
    return this.text('symbol', SYMBOL);
  }

  number(name: string): number | undefined {
    const text = this.text(name, NUMBER);
    return text === undefined ? undefined : Number(text);
  }

  /** Epoch ms from ms or µs: a start is rounded up and an end down, so that no trade outside is let in. */
  time(name: string, round: 'up' | 'down'): number | undefined {
    const time = this.number(name);
    if (time === undefined || time < FIRST_MICROSECOND_TIME) return time;
    return round === 'up' ? Math.ceil(time / 1000) : Math.floor(time / 1000);
  }

  /** Assumed, not documented: more than the maximum is cut to it, and less than 1 is refused. */
  limit(): number {
    const limit = this.number('limit') ?? 500;
    if (limit < 1) throw new ApiError(-1130, "Data sent for parameter 'limit' is not valid.");
    return Math.min(limit, 1000);
  }

  /** The list of `symbols=["A","B"]`. */
  symbols(): readonly string[] | undefined {
    const text = this.text('symbols', SYMBOLS);
    if (text === undefined) return undefined;
    if (this.has('symbol')) throw new ApiError(-1128, 'Combination of optional parameters invalid.');
    const names = JSON.parse(text) as string[];
    if (new Set(names).size !== names.length)
      throw new ApiError(-1151, 'Symbol is present multiple times in the list.');
    return names;
  }

  /** @throws ApiError when a parameter was sent that nobody has asked for. */
  done(): void {
    if (this.read.size === this.sent) return;
    throw this.read.size === 0
      ? new ApiError(-1101, `Too many parameters; expected '0' and received '${this.sent}'.`)
      : new ApiError(
          -1104,
          `Not all sent parameters were read; read '${this.read.size}' parameter(s) but was sent '${this.sent}'.`,
        );
  }
}
