import type { OutageListener } from '../core/outages.js';

/** One line at the beginning of an outage and one at its end. */
export const outageLines = (print: (line: string) => void): OutageListener => ({
  onBegin: ({ system, since, reason }) =>
    print(`${system} does not answer since ${new Date(since).toISOString()}, trying again: ${reason}`),
  onEnd: ({ system, since, until }) =>
    print(`${system} answers again after ${Math.round((until - since) / 1000)} s`),
});
