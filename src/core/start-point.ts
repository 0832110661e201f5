/** Where a symbol without a cursor begins: with the newest trade, the first one from a time on (epoch ms), or an id. */
export type StartPoint =
  | { readonly kind: 'now' }
  | { readonly kind: 'time'; readonly time: number }
  | { readonly kind: 'id'; readonly id: number };

/** Numbers from here on are epoch milliseconds (2001 and later); ids of trades are far below. */
const firstTime = 1e12;

/**
 * Reads `now`, an id, epoch milliseconds or an ISO time; a time that names no zone is UTC. Undefined where it is none of
 * them. Total.
 */
export function parseStartPoint(text: string): StartPoint | undefined {
  if (text === 'now') return { kind: 'now' };
  if (/^\d{1,15}$/.test(text)) {
    const value = Number(text);
    return value >= firstTime ? { kind: 'time', time: value } : { kind: 'id', id: value };
  }
  const iso = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(
    text,
  );
  if (iso === null) return undefined;
  const hasTime = text.length > 'YYYY-MM-DD'.length;
  const time = Date.parse(hasTime && iso[1] === undefined ? `${text}Z` : text);
  return Number.isNaN(time) ? undefined : { kind: 'time', time };
}

/** What `parseStartPoint` would read as the same point. */
export function startPointText(point: StartPoint): string {
  switch (point.kind) {
    case 'now':
      return 'now';
    case 'time':
      return new Date(point.time).toISOString();
    case 'id':
      return String(point.id);
  }
}
