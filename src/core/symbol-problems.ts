/**
 * `unknown`: the exchange does not list it. `halted`: it lists it, and does not trade it. `refused`: it refuses calls about it.
 * `row`: a row of it cannot be read. `waiting`: an id that was announced is not there.
 */
export type ProblemKind = 'unknown' | 'halted' | 'refused' | 'row' | 'waiting';

/** What keeps one symbol from being complete, while the others go on. */
export interface SymbolProblem {
  readonly symbol: string;
  readonly kind: ProblemKind;
  /** One line. */
  readonly reason: string;
  /** Epoch ms. */
  readonly since: number;
}

/** Told once when a problem begins, and once when it is over: then `until` is set, epoch ms. */
export type ProblemListener = (problem: SymbolProblem & { readonly until?: number }) => void;

/** A hole stays, and is shown as one; the news of its row does not. */
const rowIsNewsMs = 3_600_000;

/** The problems of the symbols of one producer, at most one of a kind for each. */
export class SymbolProblems {
  private readonly open = new Map<string, SymbolProblem>();

  constructor(private readonly listener: ProblemListener = () => undefined) {}

  /** It is there; what is there already with the same reason stays as it is. */
  begin(symbol: string, kind: ProblemKind, reason: string, now: number): void {
    const key = `${kind} ${symbol}`;
    if (this.open.get(key)?.reason === reason) return;
    const problem = { symbol, kind, reason, since: now };
    this.open.set(key, problem);
    this.listener(problem);
  }

  end(symbol: string, kind: ProblemKind, now: number): void {
    const key = `${kind} ${symbol}`;
    const problem = this.open.get(key);
    if (problem === undefined) return;
    this.open.delete(key);
    this.listener({ ...problem, until: now });
  }

  has(symbol: string, kind: ProblemKind): boolean {
    return this.open.has(`${kind} ${symbol}`);
  }

  at(now: number): readonly SymbolProblem[] {
    return [...this.open.values()].filter(({ kind, since }) => kind !== 'row' || now - since < rowIsNewsMs);
  }
}
