import type { Candle } from '../core/dashboard.js';
import type { Proof } from '../core/bar-proof.js';
import { proofTexts, type CandleStore } from './candles.js';
import {
  CandlestickSeries,
  createChart,
  CrosshairMode,
  createSeriesMarkers,
  HistogramSeries,
  LineStyle,
  type CandlestickData,
  type HistogramData,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type Time,
  type UTCTimestamp,
  type WhitespaceData,
} from './lightweight-charts.mjs';
import { colour } from './theme.js';

/** The strip of proof: the higher, the better proven. Whoever sees no colour sees heights, hollow bars and marks. */
const proofHeights: Readonly<Record<Proof, number>> = {
  verified: 3,
  final: 2,
  open: 1,
  different: 3,
  sample: 1,
};
const pixelsPerCandle = 9;
const paneShares = [0.7, 0.2, 0.1];

const timeOf = (at: number): UTCTimestamp => (at / 1000) as UTCTimestamp;

/** Candles, below them volume and the proof of each bar. A time without a bar is a gap. */
export class CandleChart {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<'Candlestick'>;
  private readonly volume: ISeriesApi<'Histogram'>;
  private readonly proof: ISeriesApi<'Histogram'>;
  private readonly lastPrice: IPriceLine;
  private readonly marks: ISeriesMarkersPluginApi<Time>;
  private shown: { store: CandleStore; digits: number } | undefined;

  /** `onPoint` gets the time under the pointer, or undefined when it leaves. */
  constructor(
    private readonly container: HTMLElement,
    onPoint: (at: number | undefined) => void,
  ) {
    this.chart = createChart(container, {
      autoSize: true,
      // The notice and the link stand in the page's footer: the logo brings a style element, which the page forbids.
      layout: { attributionLogo: false, fontFamily: 'system-ui, sans-serif', fontSize: 12 },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 3 },
      localization: { locale: 'en-GB', dateFormat: 'yyyy-MM-dd' },
      crosshair: { mode: CrosshairMode.Normal },
    });
    // The line of the last price is one of its own: the library's takes the colour of the bar, and a hollow one has none.
    const withoutLine = { priceLineVisible: false, lastValueVisible: false };
    this.candles = this.chart.addSeries(CandlestickSeries, withoutLine, 0);
    this.lastPrice = this.candles.createPriceLine({ price: 0, lineWidth: 1, lineStyle: LineStyle.Dashed });
    this.marks = createSeriesMarkers(this.candles, []);
    this.volume = this.chart.addSeries(
      HistogramSeries,
      { ...withoutLine, priceFormat: { type: 'volume' } },
      1,
    );
    this.proof = this.chart.addSeries(
      HistogramSeries,
      {
        priceFormat: { type: 'custom', formatter: () => '', minMove: 1 },
        ...withoutLine,
        autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 3 } }),
      },
      2,
    );
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.2, bottom: 0 } });
    this.proof.priceScale().applyOptions({ scaleMargins: { top: 0.15, bottom: 0 } });
    this.chart.panes().forEach((pane, index) => pane.setStretchFactor(paneShares[index] ?? 0.1));
    this.chart.subscribeCrosshairMove(({ time }) =>
      onPoint(typeof time === 'number' ? time * 1000 : undefined),
    );
    this.restyle();
  }

  /** Draws all of a store; `isNew` where it is another chart, which then shows its end. */
  show(store: CandleStore, digits: number, isNew: boolean): void {
    this.shown = { store, digits };
    this.candles.applyOptions({
      priceFormat: { type: 'price', precision: digits, minMove: 10 ** -digits },
    });
    const times = store.times();
    this.candles.setData(times.map((at) => candleData(at, store.get(at))));
    this.volume.setData(times.map((at) => volumeData(at, store.get(at))));
    this.proof.setData(times.map((at) => proofData(at, store.get(at))));
    this.drawLastPrice(store.all().at(-1));
    this.marks.setMarkers(
      store
        .all()
        .filter(({ proof }) => proof === 'different')
        .map(({ at }) => ({
          time: timeOf(at),
          position: 'aboveBar',
          shape: 'arrowDown',
          color: colour('different'),
          text: '≠',
        })),
    );
    if (isNew) this.showEnd(times.length);
  }

  /** Takes the colours of the theme. */
  restyle(): void {
    const [text, line, back] = [colour('muted'), colour('grid'), colour('surface')];
    this.chart.applyOptions({
      layout: { background: { color: back }, textColor: text, panes: { separatorColor: colour('line') } },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      timeScale: { borderColor: colour('line') },
      rightPriceScale: { borderColor: colour('line') },
    });
    if (this.shown !== undefined) this.show(this.shown.store, this.shown.digits, false);
  }

  private drawLastPrice(candle: Candle | undefined): void {
    if (candle === undefined) return;
    const color = toneOf(candle);
    this.lastPrice.applyOptions({ price: Number(candle.close), color, axisLabelColor: color });
  }

  private showEnd(count: number): void {
    const fitting = Math.max(30, Math.floor(this.container.clientWidth / pixelsPerCandle));
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(-1, count - fitting), to: count + 2 });
    this.candles.priceScale().applyOptions({ autoScale: true });
  }
}

const isUp = ({ open, close }: Candle): boolean => Number(close) >= Number(open);
const toneOf = (candle: Candle): string => colour(isUp(candle) ? 'up' : 'down');

/** A bar that is not final is hollow; one that verify doubts has its own edge. */
function candleData(at: number, candle: Candle | undefined): CandlestickData | WhitespaceData {
  const time = timeOf(at);
  if (candle === undefined) return { time };
  const [open, close] = [Number(candle.open), Number(candle.close)];
  const tone = toneOf(candle);
  const edge = candle.proof === 'different' ? colour('different') : tone;
  return {
    ...{ time, open, high: Number(candle.high), low: Number(candle.low), close },
    ...{ color: candle.proof === 'open' ? 'transparent' : tone, borderColor: edge, wickColor: edge },
  };
}

function volumeData(at: number, candle: Candle | undefined): HistogramData | WhitespaceData {
  if (candle === undefined) return { time: timeOf(at) };
  const color = colour(isUp(candle) ? 'up-soft' : 'down-soft');
  return { time: timeOf(at), value: Number(candle.volume), color };
}

function proofData(at: number, candle: Candle | undefined): HistogramData | WhitespaceData {
  if (candle === undefined) return { time: timeOf(at) };
  return { time: timeOf(at), value: proofHeights[candle.proof], color: colour(candle.proof) };
}

/** What the chart shows, for whoever cannot see it. */
export function describeChart(symbol: string, candles: readonly Candle[]): string {
  const last = candles.at(-1);
  if (last === undefined) return 'No bars yet';
  return `${candles.length} bars of ${symbol}; the newest closes at ${last.close} and is ${proofTexts[last.proof]}. The newest bars stand in the table below.`;
}
