/** Numbers and times as a person reads them. Amounts come as exact decimal texts and stay texts. */

/** `63021.01000000` with two digits: `63,021.01`; digits that are not zero are never cut. */
export function amountText(amount: string, digits = 0): string {
  const [whole = '0', fraction = ''] = amount.split('.');
  const kept = fraction.replace(/0+$/, '').padEnd(digits, '0');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return kept === '' ? grouped : `${grouped}.${kept}`;
}

/** How many digits after the point these amounts need, at least two. */
export function digitsOf(amounts: readonly string[]): number {
  const lengths = amounts.map((amount) => (amount.split('.')[1] ?? '').replace(/0+$/, '').length);
  return Math.max(2, ...lengths);
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `5 d 1 h`: the largest two units. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = Math.max(
    0,
    units.findIndex(([size]) => whole >= size),
  );
  const [size, name] = units[first] ?? [1, 's'];
  const [nextSize, nextName] = units[first + 1] ?? [0, ''];
  const rest = nextSize === 0 ? 0 : Math.floor((whole % size) / nextSize);
  return `${Math.floor(whole / size)} ${name}${rest === 0 ? '' : ` ${rest} ${nextName}`}`;
}

/** `14:05`, with the day before it where it is not the day of `now`. */
export function timeText(at: number, now: number): string {
  const iso = new Date(at).toISOString();
  const isToday = iso.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return isToday ? iso.slice(11, 16) : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}

/** `+0.42 %`, from one price to another. */
export function changeText(from: string, to: string): string {
  const change = (Number(to) / Number(from) - 1) * 100;
  if (!Number.isFinite(change)) return '';
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(2)} %`;
}
