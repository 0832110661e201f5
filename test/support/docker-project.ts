import { execa } from 'execa';
import { vi } from 'vitest';
import { z } from 'zod';

const docker = async (...args: string[]): Promise<string> => (await execa('docker', args)).stdout;

/** What `docker inspect` tells of a container that these tests look at. */
const inspected = z.object({
  Id: z.string(),
  Config: z.object({ Labels: z.record(z.string(), z.string()) }),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    OOMKilled: z.boolean(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
});
type Container = z.infer<typeof inspected>;

const serviceOf = ({ Config }: Container): string => Config.Labels['com.docker.compose.service'] ?? '';

/** The containers of a project of Compose, as Docker itself sees them. */
export function dockerProject(name: string) {
  const list = async (): Promise<Container[]> => {
    const ids = await docker(
      'ps',
      '--all',
      '--quiet',
      '--filter',
      `label=com.docker.compose.project=${name}`,
    );
    if (ids === '') return [];
    return z.array(inspected).parse(JSON.parse(await docker('inspect', ...ids.split('\n'))));
  };
  const of = async (service: string): Promise<Container> => {
    const found = (await list()).find((one) => serviceOf(one) === service);
    if (found === undefined) throw new Error(`Project ${name} has no container of ${service}`);
    return found;
  };
  /** Those with a health check: one-shots have none. */
  const servers = async (): Promise<Container[]> =>
    (await list()).filter(({ State }) => State.Health !== undefined);
  return {
    of,
    servers,
    /** Waits until every server is healthy. */
    healthy: () =>
      vi.waitFor(
        async () => {
          const ill = (await servers()).filter(({ State }) => State.Health?.Status !== 'healthy');
          if (ill.length > 0) throw new Error(`not healthy: ${ill.map(serviceOf).join(', ')}`);
        },
        { timeout: 600_000, interval: 2_000 },
      ),
    /** In the order of nothing, as a reboot does: it knows no dependencies. */
    stop: (containers: readonly Container[]) => docker('stop', ...containers.map(({ Id }) => Id)),
    start: (containers: readonly Container[]) => docker('start', ...containers.map(({ Id }) => Id)),
    log: async ({ Id }: Container): Promise<string> =>
      (await execa('docker', ['logs', '--tail', '200', Id], { all: true })).all,
    exec: async (service: string, ...command: string[]): Promise<string> =>
      docker('exec', (await of(service)).Id, ...command),
  };
}

/** The names of the volumes that nobody named. */
export const anonymousVolumes = async (): Promise<string[]> =>
  (await docker('volume', 'ls', '--quiet', '--filter', 'label=com.docker.volume.anonymous'))
    .split('\n')
    .filter((line) => line !== '');
