import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { market } from './market.js';
import { pipeline } from './pipeline.js';
import { proof } from './proof.js';

/** Defaults that the SDK writes everywhere: of interval variables, and of tables before Grafana 13. */
const strange = new Set(['auto', 'auto_min', 'auto_count', 'footer']);

const withoutStrange = (dashboard: Dashboard): Dashboard =>
  JSON.parse(
    JSON.stringify(dashboard, (key, value: unknown) => (strange.has(key) ? undefined : value)),
  ) as Dashboard;

/** Every dashboard by the name of its file in `grafana/dashboards/`. */
export const dashboards: Readonly<Record<string, () => Dashboard>> = {
  market: () => withoutStrange(market()),
  pipeline: () => withoutStrange(pipeline()),
  proof: () => withoutStrange(proof()),
};
