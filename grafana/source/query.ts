import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';

/** The data source that `grafana/provisioning/datasources/cryptopipe.yaml` makes. */
export const dataSource = { type: 'grafana-postgresql-datasource', uid: 'cryptopipe' } as const;

/** `time_series` makes a line of each text in a column `metric`; `table` takes the columns as they are. */
type Format = 'time_series' | 'table';

/** One query of a panel as Grafana's PostgreSQL data source stores it; the SDK has no builder for it. */
interface PostgresQuery extends Dataquery {
  readonly refId: string;
  readonly datasource: typeof dataSource;
  readonly format: Format;
  readonly rawQuery: true;
  readonly editorMode: 'code';
  readonly rawSql: string;
}

const lines = (sql: string): string[] => sql.replace(/^\n/, '').trimEnd().split('\n');

/** Without the indentation that it has in the source. */
function dedent(sql: string): string {
  const indented = lines(sql).filter((line) => line.trim() !== '');
  const margin = Math.min(...indented.map((line) => line.length - line.trimStart().length));
  return lines(sql)
    .map((line) => line.slice(margin))
    .join('\n');
}

const query =
  (format: Format) =>
  (sql: string): Builder<Dataquery> => {
    const built: PostgresQuery = {
      ...{ refId: 'A', datasource: dataSource, format, rawQuery: true, editorMode: 'code' },
      rawSql: dedent(sql),
      _implementsDataqueryVariant: () => undefined,
    };
    return { build: () => built };
  };

/** Rows with a column `time`, perhaps one `metric` that names the line, and numbers. */
export const series = query('time_series');
/** Rows as they are. */
export const table = query('table');

/** What every query over rows of a symbol says: the chosen source, and never the rows that were made up. */
export const ofSource = (alias?: string): string => {
  const column = alias === undefined ? 'source' : `${alias}.source`;
  return `${column} = \${source:sqlstring} AND ${column} <> 'sample'`;
};
/** The same for the chosen symbols. */
export const ofSymbols = (alias?: string): string =>
  `${ofSource(alias)} AND ${alias === undefined ? '' : `${alias}.`}symbol IN (\${symbol:sqlstring})`;
