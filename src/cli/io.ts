/** The streams of one call. Results go to `out`, everything said about them to `err`. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** True where `err` is a terminal, so that a line may be drawn over. */
  readonly isTerminal: boolean;
  readonly useColor: boolean;
}
