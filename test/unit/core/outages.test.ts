import { expect, it } from 'vitest';
import { Outages } from '../../../src/core/outages.js';

function recorded() {
  const outages = new Outages();
  const lines: string[] = [];
  const stop = outages.listen({
    onBegin: ({ system, since, reason }) => lines.push(`${system} down at ${since}: ${reason}`),
    onEnd: ({ system, since, until }) => lines.push(`${system} back after ${until - since}`),
  });
  return { outages, lines, stop };
}

it('reports an outage once at its beginning and once at its end, whatever fails in between', () => {
  const { outages, lines } = recorded();
  outages.failed('kafka', 'refused', 100);
  outages.failed('kafka', 'timed out', 200);
  outages.failed('exchange', '503', 250);
  expect(outages.current).toEqual([
    { system: 'kafka', since: 100, reason: 'refused' },
    { system: 'exchange', since: 250, reason: '503' },
  ]);
  outages.answered('kafka', 400);
  outages.answered('kafka', 500);
  expect(lines).toEqual(['kafka down at 100: refused', 'exchange down at 250: 503', 'kafka back after 300']);
  expect(outages.current).toEqual([{ system: 'exchange', since: 250, reason: '503' }]);
});

it('calls no listener that was removed', () => {
  const { outages, lines, stop } = recorded();
  stop();
  outages.failed('kafka', 'refused', 100);
  expect(lines).toEqual([]);
});
