import type {
  ChartInterval,
  ChartView,
  ChartWish,
  DashboardEvent,
  DashboardState,
} from '../core/dashboard.js';
import { CandleStore } from './candles.js';
import { CandleChart, describeChart } from './chart.js';
import { element, setText } from './elements.js';
import { follow } from './live.js';
import { showAges, showBars, showChartCards, showChoices, showLegend, showLists } from './panels.js';
import { digitsOf, durationText, timeText } from './text.js';
import { followTheme } from './theme.js';

type Update = Extract<DashboardEvent, { name: 'update' }>;
type Status = 'connecting' | 'live' | 'stale' | 'offline';

/** Updates come every second; after so long without one the server is gone, or hangs. */
const silenceLimitMs = 5_000;
const tickMs = 500;

let wish = wishOf(location.search);
let view: ChartView | undefined;
let store = new CandleStore(60_000);
let digits = 2;
let pointed: number | undefined;
let state: DashboardState | undefined;
/** When `state` came, and when anything came at all: by the browser's own steady clock. */
let stateAt = 0;
let heardAt = performance.now();
let unfollow: () => void = () => undefined;

const chart = new CandleChart(element('chart'), (at) => {
  pointed = at;
  drawLegend();
});

function wishOf(search: string): ChartWish {
  const query = new URLSearchParams(search);
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  return {
    source: text('source'),
    symbol: text('symbol'),
    interval: text('interval') as ChartInterval | undefined,
  };
}

function onUpdate(update: Update): void {
  state = update.state;
  heardAt = stateAt = performance.now();
  if (update.chart !== undefined) takeChart(update.chart);
  element('empty').hidden = update.chart !== undefined;
  showChoices(state.series, view);
  showLists(state);
  showStatus('live');
  tick();
}

function takeChart(changed: NonNullable<Update['chart']>): void {
  const isNew =
    view === undefined ||
    changed.view.symbol !== view.symbol ||
    changed.view.source !== view.source ||
    changed.view.interval !== view.interval;
  view = changed.view;
  if (changed.isWhole) store = new CandleStore(changed.minutes * 60_000);
  if (changed.candles.length === 0) return;
  store.put(changed.candles);
  const candles = store.all();
  digits = digitsOf(candles.slice(-60).flatMap(({ open, high, low, close }) => [open, high, low, close]));
  chart.show(store, digits, isNew);
  showChartCards(view, candles, digits);
  showBars(candles, digits, state?.at ?? Date.now());
  element('chart').setAttribute('aria-label', describeChart(view.symbol, candles));
  drawLegend();
}

function drawLegend(): void {
  const candle = (pointed === undefined ? undefined : store.get(pointed)) ?? store.all().at(-1);
  showLegend(candle, digits, state?.at ?? Date.now());
}

/** What changes by the passing of time alone. */
function tick(): void {
  const now = performance.now();
  const status = element('status').dataset['state'];
  if (status !== 'offline' && now - heardAt > silenceLimitMs)
    showStatus(
      'offline',
      'The program that serves this page does not answer. Start it: cryptopipe dashboard',
    );
  if (state === undefined) return;
  const series = state.series.find(({ source, symbol }) => source === view?.source && symbol === view.symbol);
  showAges(series, state.at, now - stateAt);
  const age = now - stateAt;
  setText(
    'read-at',
    `Read at ${timeText(state.at, state.at)}${age > 2_000 ? `, ${durationText(age)} ago` : ''}.`,
  );
}

const statusTexts: Readonly<Record<Status, string>> = {
  connecting: 'connecting',
  live: 'live',
  stale: 'stale',
  offline: 'no connection',
};

/** A pill that is announced when it changes, and below it what to do. */
function showStatus(status: Status, problem?: string): void {
  const pill = element('status');
  pill.dataset['state'] = status;
  document.body.dataset['state'] = status;
  setText('status', statusTexts[status]);
  const notice = element('notice');
  notice.hidden = problem === undefined;
  setText('notice', problem ?? '');
}

function start(): void {
  unfollow();
  heardAt = performance.now();
  unfollow = follow(wish, {
    onUpdate,
    onStale: ({ problem, nextStep }) => {
      heardAt = performance.now();
      showStatus('stale', [problem, nextStep].filter(Boolean).join('. '));
    },
    onBreak: () => showStatus('offline', 'The connection to cryptopipe broke; it is tried again.'),
  });
}

/** Another chart, from now on also in the address, so that it can be kept. */
function choose(changed: ChartWish): void {
  wish = { ...wish, ...(view ?? {}), ...changed };
  const given = Object.entries(wish).filter((entry): entry is [string, string] => entry[1] !== undefined);
  history.replaceState(null, '', `?${new URLSearchParams(given).toString()}`);
  pressInterval(wish.interval ?? '1m');
  start();
}

function pressInterval(interval: string): void {
  for (const button of element('intervals').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button.dataset['interval'] === interval));
}

element('series', HTMLSelectElement).addEventListener('change', (event) => {
  const [source = '', symbol = ''] = (event.target as HTMLSelectElement).value.split(' ');
  choose({ source, symbol });
});
element('intervals').addEventListener('click', (event) => {
  const interval = (event.target as HTMLElement).dataset['interval'];
  if (interval !== undefined) choose({ interval: interval as ChartInterval });
});
// A page that nobody sees gives its place to another one.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) unfollow();
  else start();
});
followTheme(element('theme', HTMLButtonElement), () => chart.restyle());
pressInterval(wish.interval ?? '1m');
setInterval(tick, tickMs);
if (!document.hidden) start();
