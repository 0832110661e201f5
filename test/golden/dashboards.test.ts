import { describe, expect, it } from 'vitest';
import { dashboards } from '../../grafana/source/index.js';
import { dataSource } from '../../grafana/source/query.js';
import { panelsOf } from '../support/dashboards.js';
import { schemaComplaints } from '../support/schema-check.js';

describe.each(Object.keys(dashboards))('the dashboard %s', (name) => {
  const built = dashboards[name]!();

  it('is the one that is committed', async () => {
    await expect(`${JSON.stringify(built, null, 2)}\n`).toMatchFileSnapshot(
      `../../grafana/dashboards/${name}.json`,
    );
  });

  it('has panels with ids of their own, each with one query on our data source', () => {
    const panels = panelsOf(built);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.length).toBeGreaterThan(3);
    for (const panel of panels) {
      expect(panel.datasource).toEqual(dataSource);
      expect(panel.query.datasource).toEqual(dataSource);
      expect(panel.description).not.toBe('');
    }
  });

  it('asks for one source and leaves sample rows out, wherever a table knows a source', () => {
    const withSource =
      /crypto\.(coverage|freshness|holes|reconciliations|conflicts|candles|crypto_prices_agg_1min|crypto_prices_clean)\b/;
    for (const { title, query } of panelsOf(built)) {
      if (!withSource.test(query.rawSql)) continue;
      expect(query.rawSql, title).toContain('${source:sqlstring}');
      expect(query.rawSql, title).toContain(`<> 'sample'`);
    }
  });
});

describe("Grafana's own types", () => {
  const built = Object.values(dashboards).map((build) => build());

  it('fit every dashboard and the options of every panel', { timeout: 120_000 }, () => {
    expect(schemaComplaints(built)).toEqual([]);
  });

  it('do not fit a dashboard with a word that Grafana does not know', { timeout: 120_000 }, () => {
    const [first] = built;
    const wrong = { ...first!, timezone: 7 as unknown as string };
    expect(schemaComplaints([wrong])).toEqual([expect.stringMatching(/'number' is not assignable/)]);
  });
});
