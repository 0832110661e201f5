import { join } from 'node:path';
import ts from 'typescript';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

const root = join(import.meta.dirname, '../..');
/** Never written: the compiler gets its text from memory, and finds packages from where it would lie. */
const file = join(root, 'dashboard-check.ts');

/** Where Grafana keeps the type of the options of each kind of panel. */
const optionTypes: Readonly<Record<string, string>> = {
  candlestick: 'candlestick/panelcfg/x/CandlestickPanelCfg_types.gen',
  stat: 'stat/panelcfg/x/StatPanelCfg_types.gen',
  table: 'table/panelcfg/x/TablePanelCfg_types.gen',
  timeseries: 'timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen',
};

/** A text in JSON is no member of an enum for the compiler; `Plain` takes the enum's texts in its place. */
const preamble = `
import type { Dashboard } from '@grafana/schema';
${Object.entries(optionTypes)
  .map(
    ([type, path]) =>
      `import type { Options as ${type} } from '@grafana/schema/dist/esm/raw/composable/${path}';`,
  )
  .join('\n')}
type Plain<T> = 0 extends 1 & T ? T
  : T extends string ? \`\${T}\`
  : T extends readonly (infer One)[] ? Plain<One>[]
  : T extends object ? { [Key in keyof T]: Plain<T[Key]> }
  : T;
`;

const options: ts.CompilerOptions = {
  ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};

/** What the compiler has against a text, given the types of the installed packages. */
function complaintsOf(text: string): string[] {
  const host = ts.createCompilerHost(options);
  const inMemory: ts.CompilerHost = {
    ...host,
    fileExists: (name) => name === file || host.fileExists(name),
    getSourceFile: (name, ...rest) =>
      name === file
        ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022)
        : host.getSourceFile(name, ...rest),
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options, inMemory));
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** What does not fit the types of `@grafana/schema`: the dashboards as a whole, and the options of each panel. */
export function schemaComplaints(dashboards: readonly Dashboard[]): string[] {
  const values = dashboards.flatMap((dashboard, index) => [
    `export const dashboard${index}: Plain<Dashboard> = ${JSON.stringify(dashboard)};`,
    ...(dashboard.panels ?? []).map((panel, at) => {
      const value: unknown = 'options' in panel ? panel.options : {};
      return `export const options${index}_${at}: Plain<Partial<${panel.type}>> = ${JSON.stringify(value)};`;
    }),
  ]);
  return complaintsOf(`${preamble}\n${values.join('\n')}`);
}
