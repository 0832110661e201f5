import type { Row } from './book.js';
import type { StartedDriver } from './stage.js';

const live = ['PENDING', 'SUBMITTED', 'RUNNING'];

/** What is there after a round. */
interface Seen {
  readonly drivers: readonly StartedDriver[];
  readonly rows: readonly Row[];
  /** Run ids of the POSTs that came whole. */
  readonly posted: readonly string[];
}

/** One run, one driver, and they know each other; whatever else was written down never arrived. */
export function problemsOf(seen: Seen): readonly string[] {
  const { drivers, rows, posted } = seen;
  const problems: string[] = [];
  const say = (isWrong: boolean, what: string): unknown => isWrong && problems.push(what);
  const [driver] = drivers;
  const [run, ...others] = rows.filter(({ state }) => live.includes(state));
  say(drivers.length !== 1, `${drivers.length} drivers were started: ${JSON.stringify(drivers)}`);
  say(driver?.isLive !== true, 'no driver lives');
  say(run === undefined || others.length > 0, `${others.length + (run ? 1 : 0)} runs are live`);
  say(run?.state !== 'RUNNING', `the run is ${run?.state ?? 'not there'}`);
  say(run?.runId !== driver?.runId, `the live run is ${run?.runId}, the driver's ${driver?.runId}`);
  say(run?.submissionId !== driver?.id, `the run's driver is ${run?.submissionId}, not ${driver?.id}`);
  for (const one of drivers)
    say(!rows.some(({ runId }) => runId === one.runId), `${one.id} has no run: ${one.runId}`);
  for (const row of rows.filter((one) => one !== run && !live.includes(one.state)))
    say(
      !(row.state === 'LOST' && row.error === 'it never arrived at Spark') &&
        !(row.state === 'FAILED' && /not alive/.test(row.error ?? '')),
      `${row.runId} is ${row.state}: ${row.error}`,
    );
  say(new Set(posted).size !== posted.length, `a run was posted twice: ${posted.join(', ')}`);
  return problems;
}
