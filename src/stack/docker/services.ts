import { z } from 'zod';
import { serverNames, type ProcessReport } from '../../core/ports/stack.js';

/** What docker-compose.yml keeps running, by the names that people type for both stacks. */
export const dockerServers = [...serverNames, 'grafana'] as const;

const otherNames: Readonly<Record<string, string>> = {
  'name-node': 'namenode',
  'secondary-name-node': 'secondarynamenode',
  'data-node': 'datanode',
};

/** The name of a server in docker-compose.yml. */
export const serviceOf = (server: string): string => otherNames[server] ?? server;

const nameOf = (service: string): string =>
  Object.keys(otherNames).find((name) => otherNames[name] === service) ?? service;

const container = z.object({
  Service: z.string(),
  Image: z.string(),
  State: z.string(),
  Health: z.string(),
  ExitCode: z.number(),
  Publishers: z.array(z.object({ TargetPort: z.number(), PublishedPort: z.number() })).nullish(),
});
export type Container = z.infer<typeof container>;

/** What `docker compose ps --format json` printed: an object a line. */
export const readContainers = (text: string): Container[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => container.parse(JSON.parse(line)));

/** Docker starts again what ended by itself, so an `exited` server was stopped; a one-shot that failed stays. */
function stateOf({ Service, State, Health, ExitCode }: Container): ProcessReport['state'] | 'done' {
  const isServer = (dockerServers as readonly string[]).includes(nameOf(Service));
  if (State === 'running') return Health === 'unhealthy' ? 'unhealthy' : 'running';
  if (State === 'exited' && isServer) return 'stopped';
  if (State === 'exited' && ExitCode === 0) return 'done';
  return State === 'created' || State === 'paused' ? 'stopped' : 'died';
}

function portsOf({ Publishers }: Container): Record<string, number> {
  const published = (Publishers ?? []).filter(({ PublishedPort }) => PublishedPort > 0);
  return Object.fromEntries(published.map(({ TargetPort, PublishedPort }) => [TargetPort, PublishedPort]));
}

const notThere = (name: string): ProcessReport => ({
  ...{ name, kind: 'server', state: 'stopped', ports: {}, logPath: '' },
  ...{ pid: undefined, startedAt: undefined, version: undefined, memoryBytes: undefined },
});

/** Every server, started or not, and of the one-shots those that did not do their work. */
export function reportContainers(containers: readonly Container[]): ProcessReport[] {
  const found = containers.flatMap((one): ProcessReport[] => {
    const state = stateOf(one);
    const version = one.Image.split(':')[1];
    return state === 'done'
      ? []
      : [{ ...notThere(nameOf(one.Service)), state, version, ports: portsOf(one) }];
  });
  const servers = dockerServers.map((name) => found.find((one) => one.name === name) ?? notThere(name));
  return [...servers, ...found.filter(({ name }) => !(dockerServers as readonly string[]).includes(name))];
}
