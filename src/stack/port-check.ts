import { ConfigError } from '../core/errors.js';
import { describeHolder, findHolder } from './port-holder.js';

/** Who will listen where: the name of a process, and its ports by use. */
interface PortUser {
  readonly name: string;
  readonly ports: Readonly<Record<string, number>>;
}

/** Called before anything starts. @throws ConfigError that names every taken port with its holder. */
export async function checkPorts(users: readonly PortUser[]): Promise<void> {
  const ports = users.flatMap(({ name, ports }) =>
    Object.entries(ports).map(([use, port]) => ({ name, use, port })),
  );
  const found = await Promise.all(
    ports.map(async (entry) => ({ ...entry, holder: await findHolder(entry.port) })),
  );
  const taken = found.flatMap(({ name, use, port, holder }) =>
    holder === undefined ? [] : [`Port ${port} (${name}: ${use}) is taken by ${describeHolder(holder)}`],
  );
  if (taken.length === 0) return;
  throw new ConfigError(taken.join('\n'), {
    nextStep: 'Stop what holds it, or move every port of the stack by --port-offset N.',
  });
}
