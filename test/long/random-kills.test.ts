import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coreServers } from '../../src/core/ports/stack.js';
import { keyFor, keyOf, unit } from '../../src/sandbox/tapes/hash.js';
import { readState } from '../../src/stack/state.js';
import { driverProcesses, executorProcesses, killAll } from '../support/driver-processes.js';
import { seconds, Service, startTimeoutMs } from '../support/service.js';

const seed = process.env['SEED'] ?? '1';
/** Eight rounds in a part; ROUNDS and another SEED for more. */
const rounds = Number(process.env['ROUNDS'] ?? 8);
/** The part ends before its ten minutes, whatever a round takes. */
const limitMs = Number(process.env['LIMIT_MINUTES'] ?? 7) * 60_000;
const recoversWithinMs = 60_000;

const targets = [...coreServers, 'producer', 'supervisor', 'driver', 'executor'] as const;
type Target = (typeof targets)[number];

/** One to four targets; the same for the same seed and round. */
function chosenIn(round: number): Target[] {
  const key = keyOf(`random-kills/${seed}`);
  const draw = (name: string): number => unit(keyFor(key, name), round);
  return [...targets]
    .sort((left, right) => draw(left) - draw(right))
    .slice(0, 1 + Math.floor(draw('how many') * 4));
}

describe('random kills', () => {
  let service: Service;
  const figures: { readonly upMs: number; readonly healthyMs: number }[] = [];

  beforeAll(async () => {
    service = await Service.start({ name: 'random-kills', portOffset: 13_000 });
  }, startTimeoutMs);
  afterAll(async () => (service as Service | undefined)?.close());

  /** The processes of a target, none where it was killed with another. */
  async function pidsOf(target: Target, runDriver: string): Promise<number[]> {
    const processes = readState(service.stack.dataDir)?.processes ?? {};
    if (target === 'producer') return [(await service.producer()).pid];
    if (target === 'driver') return driverProcesses(service.stack, runDriver);
    if (target === 'executor') return executorProcesses(service.stack);
    return pidOf(processes[target === 'supervisor' ? 'produce' : target]?.pid);
  }

  async function playRound(round: number): Promise<void> {
    const chosen = chosenIn(round);
    const { submissionId = '' } = await service.stream();
    const pids = (await Promise.all(chosen.map((target) => pidsOf(target, submissionId)))).flat();
    killAll([...new Set(pids)]);
    const startedAt = Date.now();
    await service.stackUp();
    const upMs = Date.now() - startedAt;
    const healthyMs = await service.becomesHealthy(6 * recoversWithinMs);
    figures.push({ upMs, healthyMs });
    console.log(
      `round ${round}: killed ${chosen.join(', ')} (${pids.length} processes); stack up took ${seconds(upMs)} s, healthy ${seconds(healthyMs)} s later; load ${loadAverage()}`,
    );
  }

  it(`${rounds} times, with only \`stack up\` typed in between`, { timeout: limitMs + 600_000 }, async () => {
    const endAt = Date.now() + limitMs;
    for (let round = 1; round <= rounds && Date.now() < endAt; round++) await playRound(round);
    const slow = figures.filter(({ healthyMs }) => healthyMs > recoversWithinMs);
    console.log(
      `SEED=${seed}: ${figures.length} of ${rounds} rounds; healthy after stack up: most ${seconds(Math.max(...figures.map(({ healthyMs }) => healthyMs)))} s; from the kill on: most ${seconds(Math.max(...figures.map(({ upMs, healthyMs }) => upMs + healthyMs)))} s`,
    );
    expect(slow).toEqual([]);
  });

  it('lost nothing', async () => {
    await service.proveNothingLost();
    expect(await service.stream()).toMatchObject({ state: 'RUNNING' });
  });
});

const pidOf = (pid: number | undefined): number[] => (pid === undefined ? [] : [pid]);

const loadAverage = (): string => readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
