import { UsageError } from './errors.js';

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const isoTime = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Epoch ms of an ISO time or of epoch ms as text. A time without a zone is UTC, as every time of cryptopipe is. */
export function parseTime(text: string): number {
  if (/^\d{10,13}$/.test(text)) return Number(text);
  const iso = text.replace(' ', 'T');
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(iso) && iso.includes('T');
  const time = isoTime.test(text) ? Date.parse(hasZone || !iso.includes('T') ? iso : `${iso}Z`) : NaN;
  if (Number.isNaN(time))
    throw new UsageError(`"${text}" is not a time`, {
      nextStep: 'Write it like 2024-08-08T23:55:00Z, 2024-08-08 or 1723161300000 (epoch ms).',
    });
  return time;
}

/** Milliseconds of a length of time like `15m`, `90s`, `2h`, `1d`. */
export function parseDuration(text: string): number {
  const parts = /^(\d{1,6})([smhd])$/.exec(text);
  const length = Number(parts?.[1] ?? 0) * unitsMs[(parts?.[2] ?? 's') as keyof typeof unitsMs];
  if (length === 0)
    throw new UsageError(`"${text}" is not a length of time`, {
      nextStep: 'Write it like 15m, 90s, 2h or 1d.',
    });
  return length;
}
