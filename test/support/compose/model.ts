import { parse } from 'yaml';

interface Dependency {
  readonly condition: string;
}

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly pull_policy?: string;
  readonly restart?: string;
  readonly init?: boolean;
  readonly stop_signal?: string;
  readonly profiles?: readonly string[];
  readonly hostname?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly secrets?: readonly string[];
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval?: string };
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
  readonly deploy?: { readonly resources?: { readonly limits?: { readonly memory?: string } } };
}

/** A Compose file with its anchors merged in. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** As it stands there, the variables not filled in. */
export const parseCompose = (text: string): ComposeFile => parse(text, { merge: true }) as ComposeFile;

/** As Compose would see it with these variables; the file uses this form of them only, which a check holds. */
export function interpolated(
  file: ComposeFile,
  variables: Readonly<Record<string, string>> = {},
): ComposeFile {
  const fill = (text: string): string =>
    text
      .replace(
        /\$\{(\w+):-([^}]*)\}/g,
        (_all, name: string, otherwise: string) => variables[name] ?? otherwise,
      )
      .replaceAll('$$', '$');
  return JSON.parse(JSON.stringify(file), (_key, value: unknown) =>
    typeof value === 'string' ? fill(value) : value,
  ) as ComposeFile;
}

/** Every text of a value, keys of mappings too. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Array.isArray(value)
    ? value.flatMap(textsOf)
    : Object.entries(value).flatMap(([key, inner]) => [key, ...textsOf(inner)]);
}

/** `source:target[:mode]` */
export function mountsOf(service: Service): { source: string; target: string; mode: string | undefined }[] {
  return (service.volumes ?? []).map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, mode };
  });
}

/** Ends by itself when its work is done. */
export const isOneShot = (service: Service): boolean => service.restart === 'no';
