import type { IncomingMessage } from 'node:http';
import { errorBody, type Reply } from './api-error.js';
import { parseFault, type Fault, type Origin } from './fault.js';
import type { FaultLog } from './fault-log.js';
import type { Faults } from './faults.js';
import { isTimed, type Met, type TimedFault } from './timed-fault.js';

const LARGEST_BODY = 10_000;
const PATH = '/sandbox/faults';

/** Where faults are ordered, taken back and looked up. */
export class FaultDesk {
  constructor(
    private readonly faults: Faults,
    private readonly log: FaultLog,
    /** Called when a fault with a duration has begun. */
    private readonly onBegin: (fault: TimedFault) => void,
  ) {}

  /** `/sandbox/faults`: GET lists what has begun and what is to come, POST adds one, DELETE takes all back; `/sandbox/faults/log` lists what was. */
  async answer(request: IncomingMessage, path: string): Promise<Reply | undefined> {
    if (path === `${PATH}/log`) return { status: 200, body: JSON.stringify(this.log.summary()) };
    if (path !== PATH) return undefined;
    try {
      if (request.method === 'POST') this.inject(parseFault(await readBody(request)), 'order');
      else if (request.method === 'DELETE') this.faults.clear();
    } catch (error) {
      return { status: 400, body: errorBody(-1130, (error as Error).message) };
    }
    return { status: 200, body: JSON.stringify(this.faults.list()) };
  }

  /** What has a duration begins and is logged at once, everything else when it meets something. */
  inject(fault: Fault, by: Origin): void {
    if (!isTimed(fault)) {
      this.faults.add({ fault, by });
      return;
    }
    const met: Met = {};
    this.faults.timed.begin(fault, met);
    this.log.add({ by, fault, met });
    this.onBegin(fault);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_BODY) throw new Error('the body is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
