import type { Candle } from '../core/dashboard.js';
import type { Proof } from '../core/bar-proof.js';

/** More than the longest first chart, so that a page that stands for hours keeps what it saw without growing for ever. */
const mostCandles = 2_000;

/** The candles of one chart, put together from what came. */
export class CandleStore {
  private readonly byTime = new Map<number, Candle>();

  constructor(readonly widthMs: number) {}

  put(candles: readonly Candle[]): void {
    for (const candle of candles) this.byTime.set(candle.at, candle);
    const tooMany = this.all().slice(0, Math.max(0, this.byTime.size - mostCandles));
    for (const { at } of tooMany) this.byTime.delete(at);
  }

  get(at: number): Candle | undefined {
    return this.byTime.get(at);
  }

  /** In order of time. */
  all(): Candle[] {
    return [...this.byTime.values()].sort((a, b) => a.at - b.at);
  }

  /** Every time of the axis, also those at which nobody knows a bar: a hole is seen as a gap. */
  times(): number[] {
    const known = this.all();
    const [first, last] = [known[0]?.at ?? 0, known.at(-1)?.at ?? -1];
    const slots = (last - first) / this.widthMs + 1;
    // A gap of days would leave nothing to see.
    if (slots > 2 * mostCandles) return known.map(({ at }) => at);
    return Array.from({ length: Math.max(0, slots) }, (_, index) => first + index * this.widthMs);
  }
}

/** How many bars are in which state. */
export function countProofs(candles: readonly Candle[]): Record<Proof, number> {
  const counts = { verified: 0, final: 0, open: 0, different: 0, sample: 0 };
  for (const { proof } of candles) counts[proof] += 1;
  return counts;
}

export const proofTexts: Readonly<Record<Proof, string>> = {
  verified: 'verified',
  final: 'final',
  open: 'not final',
  different: 'different',
  sample: 'sample',
};

/** `different: close, volume`; else the proof alone, with what verify said of it. */
export function proofText({ proof, findings }: Pick<Candle, 'proof' | 'findings'>): string {
  if (findings.length === 0) return proofTexts[proof];
  return proof === 'different' ? findings.join('; ') : `${proofTexts[proof]} (${findings.join('; ')})`;
}
