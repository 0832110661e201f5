import type { TickSink } from '../../core/ports/topic.js';
import { retrying, type RetryOptions } from '../../core/retry.js';

/** Sends; a call that fails is repeated, with what it was called with, before anything else is sent. */
export type PatientSink = Pick<
  TickSink,
  'open' | 'send' | 'sendRejected' | 'writeCursors' | 'writeHeartbeat'
>;

/** A sink whose calls are tried again by the common policy, one call at a time: the order of what is sent stays. */
export function patientSink(sink: PatientSink, options: Omit<RetryOptions, 'system'>): PatientSink {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (call: () => Promise<void>): Promise<void> => {
    const turn = last.then(() => retrying(call, { ...options, system: 'kafka' }));
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    open: () => inTurn(() => sink.open()),
    send: (ticks) => inTurn(() => sink.send(ticks)),
    sendRejected: (rows) => inTurn(() => sink.sendRejected(rows)),
    writeCursors: (cursors) => inTurn(() => sink.writeCursors(cursors)),
    writeHeartbeat: (heartbeat, replaced) => inTurn(() => sink.writeHeartbeat(heartbeat, replaced)),
  };
}
