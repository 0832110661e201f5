import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { basePorts, dockerPorts, settings } from '../../../src/core/settings.js';
import { interpolated, isOneShot, mountsOf, textsOf, type ComposeFile, type Service } from './model.js';

/** A check of docker-compose.yml: a line for each thing that is not as it should be. */
export type Rule = (file: ComposeFile) => string[];

/** `check` of each service, its lines after the service's name. */
export const eachService =
  (check: (service: Service, name: string, file: ComposeFile) => string[]): Rule =>
  (file) =>
    Object.entries(file.services).flatMap(([name, service]) =>
      check(service, name, file).map((line) => `${name}: ${line}`),
    );

const duplicates = (texts: readonly string[]): string[] =>
  texts.filter((text, at) => texts.indexOf(text) !== at);

/** The design's table: each port with the variable that moves it. */
const tableOfPorts = [
  ...Object.entries(dockerPorts).map(([variable, port]) => `\${${variable}:-${basePorts[port]}}`),
  `\${PGPORT:-${basePorts.postgres}}`,
];

export const portsAreThoseOfTheDesign: Rule = (file) => {
  const published = Object.values(file.services).flatMap(({ ports = [] }) => ports);
  const outside = published.map((text) => /^127\.0\.0\.1:(\$\{\w+:-\d+\}):/.exec(text)?.[1]);
  return [
    ...published
      .filter((_text, at) => outside[at] === undefined)
      .map((text) => `${text} is not 127.0.0.1:\${NAME:-port}:port`),
    ...outside
      .filter((port) => port !== undefined && !tableOfPorts.includes(port))
      .map((port) => `${port ?? ''} is not in the design's table`),
    ...tableOfPorts.filter((port) => !outside.includes(port)).map((port) => `${port} is not published`),
    ...duplicates(outside.filter((port) => port !== undefined)).map((port) => `${port} is published twice`),
  ];
};

/** Two numbers at least, and no word that moves on. */
const fullTag = /^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)*$/;

export const isFullTag = (image: string): boolean => fullTag.test(image);

export const imagesHaveFullTags = eachService(({ image }) =>
  isFullTag(image) ? [] : [`${image} has no full version tag`],
);

/** Built by one service, since two builds of one image may meet; and never fetched, since a registry may hold another's. */
export const ownImagesAreBuiltOnce: Rule = (file) => {
  const own = Object.entries(file.services).filter(([, { image }]) => image.startsWith('cryptopipe-'));
  const builders = own.filter(([, { build }]) => build !== undefined);
  return [
    ...own
      .filter(([, { build, pull_policy }]) => pull_policy !== (build === undefined ? 'never' : 'build'))
      .map(([name, { image }]) => `${name}: ${image} may be fetched`),
    ...duplicates(builders.map(([, { image }]) => image)).map((image) => `${image} is built twice`),
    ...own
      .filter(([, { image }]) => !builders.some(([, builder]) => builder.image === image))
      .map(([, { image }]) => `${image} is built by nobody`),
  ];
};

export const everyServiceHasAHealthCheckOrEnds: Rule = (file) => {
  const waitedFor = new Set(
    Object.values(file.services).flatMap(({ depends_on = {} }) =>
      Object.entries(depends_on)
        .filter(([, { condition }]) => condition === 'service_completed_successfully')
        .map(([name]) => name),
    ),
  );
  return eachService((service, name) => {
    if (!isOneShot(service))
      return [
        ...(service.healthcheck === undefined ? ['has no health check, and does not end'] : []),
        ...(waitedFor.has(name) ? ['never ends, and somebody waits for its end'] : []),
        ...(service.restart === 'unless-stopped' ? [] : ['does not come back after a fall']),
      ];
    // Compose takes the end of a service for a failure, unless somebody waits for it (`up --wait`).
    const isTool = service.profiles !== undefined;
    return waitedFor.has(name) || isTool ? [] : ['ends, and nobody waits for its end'];
  })(file);
};

/** What each image has, by the reference of the images. */
const toolsOf: Readonly<Record<string, readonly string[]>> = {
  'apache/kafka': ['/opt/kafka/bin/kafka-broker-api-versions.sh', 'nc'],
  'ghcr.io/apache/hadoop': ['curl', 'grep'],
  'cryptopipe-spark': ['wget', 'grep'],
  postgres: ['pg_isready'],
  'cryptopipe-airflow': ['curl', 'python3'],
  'cryptopipe-cli': ['cryptopipe', 'node'],
  'grafana/grafana': ['curl', 'wget'],
};

/** The program of each command of a shell line. */
const programsOf = (line: string): string[] =>
  line
    .replace(/'[^']*'/g, "''")
    .split(/&&|\|\||[|;]/)
    .map(
      (part) =>
        part
          .trim()
          .replace(/^(\w+=\S+ +)+/, '')
          .split(/\s/)[0] ?? '',
    )
    .filter((word) => word !== '');

export const healthChecksUseWhatTheImageHas = eachService(({ image, healthcheck }) => {
  const known = toolsOf[image.split(':')[0] ?? ''] ?? [];
  const [kind, line = ''] = healthcheck?.test ?? [];
  if (kind !== undefined && kind !== 'CMD-SHELL') return ['has no health check of the form CMD-SHELL'];
  return programsOf(line)
    .filter((program) => !known.includes(program))
    .map((program) => `its health check uses ${program}, which ${image} is not known to have`);
});

export const dependenciesAreSound: Rule = (file) => {
  const needs = (name: string): string[] => Object.keys(file.services[name]?.depends_on ?? {});
  const reaches = (from: string, seen: string[] = []): string[] =>
    seen.includes(from) ? seen : needs(from).reduce((all, name) => reaches(name, all), [...seen, from]);
  return eachService((service, name) => [
    ...needs(name)
      .filter((other) => reaches(other).includes(name))
      .map((other) => `needs ${other}, which needs it`),
    ...Object.entries(service.depends_on ?? {}).flatMap(([other, { condition }]) => {
      const needed = file.services[other];
      if (needed === undefined) return [`needs ${other}, which is not there`];
      const isHealth = condition === 'service_healthy' && needed.healthcheck !== undefined;
      const isEnd = condition === 'service_completed_successfully' && isOneShot(needed);
      return isHealth || isEnd ? [] : [`waits for ${condition} of ${other}, which is never so`];
    }),
  ])(file);
};

const isPath = (source: string): boolean => source.startsWith('.') || source.startsWith('/');

/** `root` is the folder of the Compose file. */
export const volumesAreDeclared =
  (root: string): Rule =>
  (file) => {
    const mounts = Object.values(file.services).flatMap(mountsOf);
    const secrets = Object.values(file.services).flatMap((service) => service.secrets ?? []);
    const named = mounts.map(({ source }) => source).filter((source) => !isPath(source));
    const paths = [
      ...mounts.map(({ source }) => source).filter(isPath),
      ...Object.values(interpolated(file).secrets).map((secret) => secret.file),
    ];
    return [
      ...named
        .filter((source) => !(source in file.volumes))
        .map((source) => `volume ${source} is not declared`),
      ...Object.keys(file.volumes)
        .filter((volume) => !named.includes(volume))
        .map((volume) => `volume ${volume} is not used`),
      ...secrets.filter((name) => !(name in file.secrets)).map((name) => `secret ${name} is not declared`),
      ...Object.keys(file.secrets)
        .filter((name) => !secrets.includes(name))
        .map((name) => `secret ${name} is not used`),
      ...paths.filter((path) => !existsSync(join(root, path))).map((path) => `${path} is not there`),
    ];
  };

const knownNames = new Set(
  settings.flatMap(({ name, isSecret }) => (isSecret === true ? [name, `${name}_FILE`] : [name])),
);

/** Compose and the command line read the same `.env`, and the latter refuses a name that it does not know. */
export const variablesHaveDefaultsAndAreSettings: Rule = (file) =>
  textsOf(file).flatMap((text) => {
    const plain = text.replaceAll('$$', '');
    const all = plain.match(/\$(\{[^}]*\}|\w+)/g) ?? [];
    return all.flatMap((variable) => {
      const name = /^\$\{(\w+):-[^}]*\}$/.exec(variable)?.[1];
      if (name === undefined) return [`${variable} has no default`];
      return knownNames.has(name) ? [] : [`${name} is no setting of the program`];
    });
  });

const units: Readonly<Record<string, number>> = { m: 2 ** 20, g: 2 ** 30 };
const bytesOf = (memory: string): number => {
  const [, count, unit = ''] = /^(\d+)([mg])$/.exec(memory) ?? [];
  return Number(count) * (units[unit] ?? NaN);
};
const besideTheCore = ['airflow', 'grafana'];
const mostBytesOfTheCore = 10 * 2 ** 30;

/** What runs always; one-shots have ended by then. */
export const theCoreFitsInto10GiB: Rule = (file) => {
  const limitOf = (service: Service): number => bytesOf(service.deploy?.resources?.limits?.memory ?? '');
  const core = Object.entries(file.services).filter(
    ([name, service]) =>
      !isOneShot(service) && service.profiles === undefined && !besideTheCore.includes(name),
  );
  const total = core.reduce((sum, [, service]) => sum + (limitOf(service) || 0), 0);
  return [
    ...eachService((service) => (limitOf(service) > 0 ? [] : ['has no memory limit in m or g']))(file),
    ...(total <= mostBytesOfTheCore ? [] : [`the core may use ${total} bytes`]),
  ];
};

export const logsDoNotGrow = eachService(({ logging }) =>
  logging?.options?.['max-size'] !== undefined && logging.options['max-file'] !== undefined
    ? []
    : ['keeps its log without an end'],
);
