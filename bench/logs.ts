import { fileURLToPath } from 'node:url';
import { percentile, type Measure } from './report.js';
import type { World } from './world.js';

const jobs = fileURLToPath(new URL('../test/fixtures/talking-job', import.meta.url));
const topic = 'bench_logs';
const pauseMs = 50;

/** From the moment when a job prints a line until the line is on the stdout of `logs --follow`. */
export async function measureLogs(world: World): Promise<Measure[]> {
  await world.run(topic, ['init', '--json']);
  const count = Math.ceil((world.scale.seconds * 1000) / pauseMs);
  world.say(`submitting a job that prints ${count} lines into each stream`);
  const parameters = ['-p', `lines=${count}`, '-p', `pause_ms=${pauseMs}`];
  const [submitted] = await world.run(topic, ['--jobs', jobs, 'submit', 'talking', '--json', ...parameters]);
  const following = world.start(topic, [
    ...['logs', String(submitted?.['runId']), '--follow', '--json', '--lines', '0'],
  ]);
  await following.ended;
  return ['stdout', 'stderr'].map((stream) => {
    const delays = following.lines
      .flatMap((line, index) => delayOf(line, stream, following.arrivedAt[index] ?? Number.NaN))
      .sort((left, right) => left - right);
    const [median, longest] = [percentile(delays, 0.5), delays.at(-1) ?? Number.NaN];
    return {
      bench: 'logs',
      what: `a line of the driver's ${stream} to logs --follow, p95`,
      value: percentile(delays, 0.95) / 1000,
      unit: 's',
      goal: 'under 2',
      note: `${delays.length} of ${count} lines, 20/s; p50 ${(median / 1000).toFixed(2)} s, longest ${(longest / 1000).toFixed(2)} s`,
    };
  });
}

/** Of a line that the job printed while it was followed; none of any other. */
function delayOf({ stream, line }: Record<string, unknown>, wanted: string, arrivedAt: number): number[] {
  const printedAt = stream === wanted ? /^(?:out|err) \d+ (\d{13})/.exec(String(line))?.[1] : undefined;
  return printedAt === undefined ? [] : [arrivedAt - Number(printedAt)];
}
