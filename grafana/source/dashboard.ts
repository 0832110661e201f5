import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { dataSource } from './query.js';

interface Choice {
  readonly name: string;
  readonly label: string;
  readonly sql: string;
  readonly isMany?: boolean;
}

/** A variable whose values PostgreSQL knows; asked again whenever the dashboard is opened. */
export function choice({ name, label, sql, isMany = false }: Choice): QueryVariableBuilder {
  const variable = new QueryVariableBuilder(name)
    .label(label)
    .datasource(dataSource)
    .query(sql)
    .refresh(VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(isMany)
    .includeAll(isMany);
  return isMany ? variable.current({ text: ['All'], value: ['$__all'] }) : variable;
}

/** What is chosen at the top of each dashboard. */
const source: Choice = {
  name: 'source',
  label: 'Source',
  sql: `SELECT DISTINCT source FROM crypto.coverage WHERE source <> 'sample' ORDER BY source`,
};
const symbol: Choice = {
  name: 'symbol',
  label: 'Symbol',
  sql: 'SELECT symbol FROM crypto.coverage WHERE source = ${source:sqlstring} ORDER BY symbol',
  isMany: true,
};

interface Kind {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** The range that it opens with, as Grafana writes it: `now-6h`. */
  readonly from: string;
  readonly refresh: string;
}

/** A dashboard without panels: all times in UTC, with links to the others. */
export const dashboard = ({ uid, title, description, from, refresh }: Kind): DashboardBuilder =>
  new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['cryptopipe'])
    .timezone('utc')
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from, to: 'now' })
    .refresh(refresh)
    .link(
      new DashboardLinkBuilder('cryptopipe')
        .type(DashboardLinkType.Dashboards)
        .tags(['cryptopipe'])
        .keepTime(true)
        .includeVars(true),
    )
    .withVariable(choice(source))
    .withVariable(choice(symbol));
