import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';

interface Query {
  readonly refId: string;
  readonly format: 'time_series' | 'table';
  readonly rawSql: string;
  readonly datasource: unknown;
}

/** One panel as its test needs it. */
export interface DashboardPanel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  /** `candlestick`, `timeseries`, `stat`, `table` */
  readonly type: string;
  readonly datasource: unknown;
  readonly query: Query;
}

const isRow = (panel: Panel | RowPanel): panel is RowPanel => panel.type === 'row';

/** The panels of a dashboard; fails on one that has not exactly one query. */
export const panelsOf = (dashboard: Dashboard): DashboardPanel[] =>
  (dashboard.panels ?? []).map((panel) => {
    const [query, ...others] = isRow(panel) ? [] : (panel.targets ?? []);
    if (isRow(panel) || query === undefined || others.length > 0)
      throw new Error(`${panel.title ?? 'a panel'} has not exactly one query`);
    return {
      ...{ id: panel.id ?? 0, title: panel.title ?? '', description: panel.description ?? '' },
      ...{ type: panel.type, datasource: panel.datasource },
      query: query as unknown as Query,
    };
  });

/** What stands in a query in the place of what a person chose. */
export interface Choices {
  readonly from: Date;
  readonly to: Date;
  /** Of `$__interval`, in seconds. */
  readonly intervalS: number;
  /** By the name of the variable; many values where many are chosen. */
  readonly variables: Readonly<Record<string, string | readonly string[]>>;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * What Grafana sends to PostgreSQL: variables in the format `sqlstring`, and the macros that the dashboards use. Fails where
 * one is left.
 * @see Grafana's documentation of the PostgreSQL query editor, "Macros", and of "Advanced variable format options"
 */
export function interpolated(sql: string, { from, to, intervalS, variables }: Choices): string {
  const [since, until] = [quoted(from.toISOString()), quoted(to.toISOString())];
  const text = sql
    .replaceAll(/\$\{(\w+):sqlstring\}/g, (whole, name: string) => {
      const value = variables[name];
      return value === undefined ? whole : [value].flat().map(quoted).join(',');
    })
    .replaceAll(/\$__timeFilter\((\w+)\)/g, `$1 BETWEEN ${since} AND ${until}`)
    .replaceAll(
      /\$__timeGroup\((\w+), \$__interval\)/g,
      `floor(extract(epoch from $1)/${intervalS})*${intervalS}`,
    )
    .replaceAll('$__timeFrom()', since)
    .replaceAll('$__timeTo()', until);
  const left = /\$(\{|__)\w+/.exec(text);
  if (left !== null) throw new Error(`nothing is known of ${left[0]} in ${sql}`);
  return text;
}
