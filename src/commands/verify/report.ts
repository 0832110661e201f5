import { holesBetween } from '../../core/coverage.js';
import { countVerdicts, isGood, type JudgedMinute, type VerdictCounts } from '../../core/minute-verdict.js';
import type { BarEvidence, IdRange } from '../../core/ports/bars.js';
import { dayOf, dayText } from '../../core/utc-day.js';

/** What was found of the minutes of one symbol in (a part of) one UTC day, and what it was found from. */
export interface JudgedDay {
  readonly evidence: BarEvidence;
  readonly minutes: readonly JudgedMinute[];
}

export interface DayReport {
  /** `2024-08-08`, UTC. */
  readonly day: string;
  readonly minutes: number;
  readonly compared: number;
  readonly verdicts: VerdictCounts;
}

/** What was proven of one symbol, and what was not. */
export interface SymbolReport {
  readonly symbol: string;
  readonly bars: number;
  readonly finalBars: number;
  readonly firstFinalBarAt: number | undefined;
  readonly lastFinalBarAt: number | undefined;
  /** Final bars that were held against a bar of the exchange. */
  readonly compared: number;
  /** How many minutes got which verdict. */
  readonly verdicts: VerdictCounts;
  readonly days: readonly DayReport[];
  /** Ids that are missing inside the coverage, in and right beside the range. */
  readonly holes: readonly IdRange[];
  /** Every minute of the range. */
  readonly minutes: readonly JudgedMinute[];
  readonly isProven: boolean;
}

/** Adds up the days of a symbol. Proven means: something was compared, no id is missing, and no minute is a reason to doubt. */
export function reportOf(symbol: string, days: readonly JudgedDay[]): SymbolReport {
  const minutes = days.flatMap((day) => day.minutes);
  const bars = days.flatMap(({ evidence }) => evidence.bars);
  const final = bars.filter(({ isFinal }) => isFinal);
  const holes = holesOf(days);
  const compared = countCompared(minutes);
  return {
    symbol,
    bars: bars.length,
    finalBars: final.length,
    firstFinalBarAt: final[0]?.windowStart,
    lastFinalBarAt: final.at(-1)?.windowStart,
    compared,
    verdicts: countVerdicts(minutes),
    days: days.flatMap((day) => dayReport(day.minutes)),
    holes,
    minutes,
    isProven: compared > 0 && holes.length === 0 && minutes.every(({ verdict }) => isGood(verdict)),
  };
}

function dayReport(minutes: readonly JudgedMinute[]): DayReport[] {
  const [first] = minutes;
  if (first === undefined) return [];
  return [
    {
      day: dayText(dayOf(first.windowStart)),
      minutes: minutes.length,
      compared: countCompared(minutes),
      verdicts: countVerdicts(minutes),
    },
  ];
}

/** Two days that a hole lies between both know it. */
function holesOf(days: readonly JudgedDay[]): IdRange[] {
  const found = new Map<string, IdRange>();
  for (const { coverage, lastIdBefore, firstIdAfter } of days.map(({ evidence }) => evidence))
    for (const hole of holesBetween(coverage, lastIdBefore, firstIdAfter))
      found.set(`${hole.firstId}-${hole.lastId}`, hole);
  return [...found.values()];
}

const countCompared = (minutes: readonly JudgedMinute[]): number =>
  minutes.filter(({ isCompared }) => isCompared).length;
