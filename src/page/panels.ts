import type { Candle, ChartView, DashboardState, SeriesState, ShownRun } from '../core/dashboard.js';
import type { Hole } from '../core/ports/bars.js';
import { countProofs, proofText } from './candles.js';
import { element, make, setText } from './elements.js';
import { amountText, changeText, durationText, timeText } from './text.js';

const rowsShown = 12;

const seriesKey = ({ source, symbol }: Pick<ChartView, 'source' | 'symbol'>): string => `${source} ${symbol}`;

/** The list of what can be shown, made anew only when it is another one. */
export function showChoices(series: readonly SeriesState[], view: ChartView | undefined): void {
  const select = element('series', HTMLSelectElement);
  const keys = series.map(seriesKey);
  if (select.dataset['keys'] !== keys.join()) {
    select.dataset['keys'] = keys.join();
    const hasOneSource = new Set(series.map(({ source }) => source)).size === 1;
    select.replaceChildren(
      ...series.map(({ source, symbol }) => {
        const option = make('option', hasOneSource ? symbol : `${symbol} · ${source}`) as HTMLOptionElement;
        option.value = seriesKey({ source, symbol });
        return option;
      }),
    );
  }
  select.disabled = series.length === 0;
  if (view !== undefined && document.activeElement !== select) select.value = seriesKey(view);
}

/** The cards about prices and proofs of the chart. */
export function showChartCards(
  { symbol, source }: ChartView,
  candles: readonly Candle[],
  digits: number,
): void {
  const [first, last] = [candles[0], candles.at(-1)];
  if (first === undefined || last === undefined) return;
  setText('price-label', `${symbol}, last price`);
  setText('price', amountText(last.close, digits));
  const change = changeText(first.open, last.close);
  setText('change', `${change} in ${durationText(last.at - first.at)}`);
  element('change').dataset['trend'] = change.startsWith('−') ? 'down' : 'up';
  document.title = `${amountText(last.close, digits)} ${symbol} · cryptopipe`;
  const counts = countProofs(candles);
  setText(
    'proven',
    source === 'sample' ? 'sample' : `${counts.verified + counts.final} of ${candles.length}`,
  );
  const others = [
    `${counts.verified} verified`,
    `${counts.open} not final`,
    ...(counts.different > 0 ? [`${counts.different} different`] : []),
  ];
  setText('proven-note', others.join(' · '));
  element('proven').dataset['tone'] = counts.different > 0 ? 'bad' : 'good';
}

/** The cards about how new and how whole the series is; `waitedMs` since its state was read. */
export function showAges(series: SeriesState | undefined, at: number, waitedMs: number): void {
  const since = (time: number | undefined): number | undefined =>
    time === undefined ? undefined : at - time + waitedMs;
  const [trade, final] = [since(series?.newestTradeAt), since(series?.newestFinalBarAt)];
  setText('age', trade === undefined ? '–' : durationText(trade));
  setText('age-note', trade === undefined ? '' : 'old');
  element('age').dataset['tone'] = trade !== undefined && trade > 60_000 ? 'old' : 'good';
  setText('final', series?.newestFinalBarAt === undefined ? '–' : timeText(series.newestFinalBarAt, at));
  setText('final-note', final === undefined ? '' : `ended ${durationText(final - 60_000)} ago`);
  setText('holes', series === undefined ? '–' : String(series.holes));
  setText('holes-note', series === undefined ? '' : holesNote(series));
  element('holes').dataset['tone'] = series !== undefined && series.holes > 0 ? 'bad' : 'good';
}

const holesNote = ({ missingIds }: SeriesState): string =>
  missingIds === 0 ? 'no trade is missing' : `${amountText(String(missingIds))} trades are missing`;

/** The newest bars as a table, newest first: for reading exactly, and for whoever does not see the chart. */
export function showBars(candles: readonly Candle[], digits: number, now: number): void {
  const rows = candles
    .slice(-rowsShown)
    .reverse()
    .map((candle) => {
      const row = make('tr');
      row.dataset['at'] = String(candle.at);
      const amounts = [candle.open, candle.high, candle.low, candle.close].map((price) =>
        amountText(price, digits),
      );
      const numbers = [...amounts, amountText(candle.volume), amountText(String(candle.trades))];
      const proof = make('td', proofText(candle), 'proof');
      proof.dataset['proof'] = candle.proof;
      const from = make('th', timeText(candle.at, now));
      from.setAttribute('scope', 'row');
      row.append(from, ...numbers.map((text) => make('td', text, 'number')), proof);
      return row;
    });
  element('bars').replaceChildren(...rows);
}

/** The bar under the pointer, else the newest one. */
export function showLegend(candle: Candle | undefined, digits: number, now: number): void {
  if (candle === undefined) return;
  const price = (text: string): string => amountText(text, digits);
  const parts = [
    timeText(candle.at, now),
    `O ${price(candle.open)}`,
    `H ${price(candle.high)}`,
    `L ${price(candle.low)}`,
    `C ${price(candle.close)}`,
    `V ${amountText(candle.volume)}`,
    `${amountText(String(candle.trades))} trades`,
  ];
  const proof = make('b', proofText(candle), 'proof');
  proof.dataset['proof'] = candle.proof;
  element('legend').replaceChildren(...parts.map((text) => make('span', text)), proof);
}

/** Runs and holes, a line each. */
export function showLists({ runs, holes }: DashboardState): void {
  element('runs').replaceChildren(
    ...(runs.length === 0
      ? [make('li', 'No run yet: cryptopipe submit streaming', 'none')]
      : runs.map(runLine)),
  );
  element('missing').replaceChildren(
    ...(holes.length === 0
      ? [make('li', 'None inside what is counted.', 'none')]
      : [...holes.map(holeLine), make('li', 'Fetch them again: cryptopipe heal', 'none')]),
  );
}

function runLine(run: ShownRun): HTMLElement {
  const line = make('li');
  const how = make('span', run.situation, 'tag');
  how.dataset['tone'] = run.isHealthy ? 'good' : 'bad';
  const spoke = run.silentMs === undefined ? '' : `, heard ${durationText(run.silentMs)} ago`;
  line.append(
    make('b', run.job),
    how,
    make(
      'span',
      `${run.silentMs === undefined ? 'ran' : 'for'} ${durationText(run.durationMs)}${spoke}`,
      'note',
    ),
  );
  if (run.error !== undefined) line.append(make('span', run.error, 'error'));
  line.title = run.runId;
  return line;
}

function holeLine({ firstId, lastId }: Hole): HTMLElement {
  const count = lastId - firstId + 1;
  const line = make('li');
  line.append(
    make('b', firstId === lastId ? String(firstId) : `${firstId} – ${lastId}`),
    make('span', `${amountText(String(count))} ${count === 1 ? 'trade' : 'trades'}`, 'note'),
  );
  return line;
}
