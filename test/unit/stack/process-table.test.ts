import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { endProcess } from '../../../src/stack/process.js';
import {
  identityOf,
  isAlive,
  membersOf,
  parsePs,
  parseStat,
  type ProcessId,
} from '../../../src/stack/process-table.js';

const fields = (state: string): string =>
  `4711 (a (strange) name) ${state} 1 4700 4699 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 123456 99 100`;

describe('parseStat', () => {
  it('reads parent, group, session and start of a command with parentheses in its name', () => {
    expect(parseStat(fields('S'), 'boot')).toEqual({
      pid: 4711,
      started: 'boot/123456',
      parent: 1,
      group: 4700,
      session: 4699,
    });
  });

  it('takes a zombie for gone', () => {
    expect(parseStat(fields('Z'), 'boot')).toBeUndefined();
  });
});

describe('parsePs', () => {
  it('reads the start time with its spaces and leaves zombies out', () => {
    const text = '  12   1  12 Ss   Mon Nov 23 21:00:00 2026\n  13  12  12 Z    Mon Nov 23 21:00:01 2026\n';
    expect(parsePs(text)).toEqual([
      { pid: 12, started: 'Mon Nov 23 21:00:00 2026', parent: 1, group: 12, session: -1 },
    ]);
  });
});

describe('membersOf and endProcess', () => {
  let leader: ProcessId;

  /** A leader with a child, and a grandchild that leads a session of its own, as PostgreSQL's do. */
  async function startFamily(script: string): Promise<void> {
    const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    child.unref();
    await once(child.stdout, 'data');
    leader = identityOf(child.pid ?? -1) ?? expect.fail('the leader is not there');
  }

  afterEach(async () => {
    await endProcess(leader, 'SIGTERM', 100);
  });

  it('finds children and children with sessions of their own', async () => {
    await startFamily('sleep 60 & setsid sleep 60 & sleep 0.3; echo started; wait');
    expect(membersOf(leader)).toHaveLength(3);
  });

  it('ends all of them, also one that ignores the signal', async () => {
    await startFamily(
      `sh -c 'trap "" TERM; sleep 60; sleep 60' & setsid sleep 60 & sleep 0.3; echo started; wait`,
    );
    const members = membersOf(leader);
    expect(members.length).toBeGreaterThanOrEqual(4);
    expect(await endProcess(leader, 'SIGTERM', 300)).toBe('killed');
    expect(members.filter(isAlive)).toEqual([]);
  });

  it('finds what a killed leader left behind', async () => {
    await startFamily('sleep 60 & echo started; wait');
    process.kill(leader.pid, 'SIGKILL');
    await expect.poll(() => isAlive(leader)).toBe(false);
    expect(membersOf(leader)).toHaveLength(1);
    expect(await endProcess(leader, 'SIGTERM', 2000)).toBe('ended');
    expect(membersOf(leader)).toEqual([]);
  });

  it('leaves another process alone that has got the same pid', async () => {
    await startFamily('sleep 60 & echo started; wait');
    const before: ProcessId = { pid: leader.pid, started: `${leader.started}0` };
    expect(await endProcess(before, 'SIGTERM', 100)).toBe('gone');
    expect(isAlive(leader)).toBe(true);
  });
});
