import * as candlestick from '@grafana/grafana-foundation-sdk/candlestick';
import {
  BigValueColorMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as tables from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { dataSource, series, table } from './query.js';

/** What every panel has. Ids are given by hand: links to a panel and diffs stay the same. */
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  /** Of the 24 columns of a row. */
  readonly width: number;
  readonly height?: number;
  readonly sql: string;
}

interface Placed {
  id(id: number): this;
  title(title: string): this;
  description(text: string): this;
  datasource(source: typeof dataSource): this;
  span(columns: number): this;
  height(rows: number): this;
}

const placed = <Builder extends Placed>(builder: Builder, panel: Panel): Builder =>
  builder
    .id(panel.id)
    .title(panel.title)
    .description(panel.description)
    .datasource(dataSource)
    .span(panel.width)
    .height(panel.height ?? 8);

/** From which value on which colour holds; null is the colour of everything below. */
type Steps = readonly (readonly [from: number | null, color: string])[];

const thresholds = (steps: Steps): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(([value, color]) => ({ value, color })));

const legend = (): VizLegendOptionsBuilder =>
  new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .calcs([]);

const tooltip = (): VizTooltipOptionsBuilder =>
  new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);

/** Columns: time, open, high, low, close, volume, and `not final`, which is drawn as dots. One for each chosen symbol. */
export const candles = (panel: Panel): candlestick.PanelBuilder =>
  placed(new candlestick.PanelBuilder(), panel)
    .repeat('symbol')
    .repeatDirection('h')
    .maxPerRow(2)
    .mode(candlestick.VizDisplayMode.CandlesVolume)
    .candleStyle(candlestick.CandleStyle.Candles)
    .colorStrategy(candlestick.ColorStrategy.OpenClose)
    .colors(new candlestick.CandlestickColorsBuilder().up('green').down('red').flat('gray'))
    .fields(
      new candlestick.CandlestickFieldMapBuilder()
        .open('open')
        .high('high')
        .low('low')
        .close('close')
        .volume('volume'),
    )
    .includeAllFields(true)
    .legend(legend())
    .tooltip(tooltip())
    .overrideByName('not final', [
      { id: 'custom.drawStyle', value: GraphDrawStyle.Points },
      { id: 'custom.pointSize', value: 7 },
      { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: 'orange' } },
    ])
    .withTarget(table(panel.sql));

interface LinesPanel extends Panel {
  /** One of Grafana's units, such as `s`, `percentunit`, `short`. */
  readonly unit: string;
  readonly bars?: boolean;
  readonly max?: number;
}

/** Lines, or bars that stand on each other; columns: time, perhaps metric, numbers. */
export function lines(panel: LinesPanel): timeseries.PanelBuilder {
  const builder = placed(new timeseries.PanelBuilder(), panel)
    .unit(panel.unit)
    .min(0)
    .legend(legend())
    .tooltip(tooltip())
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .withTarget(series(panel.sql));
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.bars !== true) return builder.lineWidth(1).fillOpacity(10).showPoints(VisibilityMode.Auto);
  return builder
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(80)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
}

interface NumbersPanel extends Panel {
  readonly unit: string;
  readonly decimals?: number;
  readonly steps: Steps;
}

/** The newest value of each line, large; columns as of `lines`. */
export function numbers(panel: NumbersPanel): stat.PanelBuilder {
  const builder = placed(new stat.PanelBuilder(), { height: 5, ...panel })
    .unit(panel.unit)
    .noValue('none')
    .colorMode(BigValueColorMode.Value)
    .thresholds(thresholds(panel.steps))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .withTarget(series(panel.sql));
  return panel.decimals === undefined ? builder : builder.decimals(panel.decimals);
}

interface RowsPanel extends Panel {
  /** The unit of a column, by its name. */
  readonly units?: Readonly<Record<string, string>>;
  /** Colours of a column's text, by its name. */
  readonly colors?: Readonly<Record<string, Steps>>;
}

/** Rows as the query gives them. */
export function rows(panel: RowsPanel): tables.PanelBuilder {
  const builder = placed(new tables.PanelBuilder(), panel)
    .showHeader(true)
    .noValue('')
    .filterable(true)
    .withTarget(table(panel.sql));
  const columns = new Set([...Object.keys(panel.units ?? {}), ...Object.keys(panel.colors ?? {})]);
  for (const column of columns) {
    const [unit, steps] = [panel.units?.[column], panel.colors?.[column]];
    builder.overrideByName(column, [
      ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
      ...(steps === undefined
        ? []
        : [
            { id: 'thresholds', value: thresholds(steps).build() },
            { id: 'color', value: { mode: FieldColorModeId.Thresholds } },
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
          ]),
    ]);
  }
  return builder;
}

/** Nothing is good, anything is not. */
export const noneIsGood: Steps = [
  [null, 'green'],
  [1, 'red'],
];
