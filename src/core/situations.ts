/** One way in which a run can be, for people. In `whatToDo` RUN stands for the run's id, JOB for what was submitted. */
interface SituationMeaning {
  readonly meaning: string;
  readonly isHealthy: boolean;
  readonly whatToDo: string;
}

const well = (meaning: string, whatToDo = ''): SituationMeaning => ({ meaning, isHealthy: true, whatToDo });
const ill = (meaning: string, whatToDo: string): SituationMeaning => ({
  meaning,
  isHealthy: false,
  whatToDo,
});

/** Every situation of a run: the word that `runs`, `status` and the README use, and what it means. */
export const situations = {
  unclear: well(
    'it was written down, and nobody can tell yet whether Spark has it',
    'wait a quarter of a minute',
  ),
  'waiting for room': ill(
    'no worker has the cores and the memory that its driver wants',
    'end another run, start a worker, or end this one: `cryptopipe stop RUN`',
  ),
  starting: well('its driver has been started, the program has not reported yet'),
  'slow start': ill(
    'its driver runs for two minutes and the program has not reported',
    'look: `cryptopipe logs RUN`',
  ),
  running: well('it works'),
  'started again': well('it works, after Spark has started it again', 'why: `cryptopipe runs show RUN`'),
  'restarting often': ill(
    'Spark has started it again at least three times within ten minutes; after the fifth it gives up',
    'look: `cryptopipe logs RUN`',
  ),
  'crash loop': ill(
    'it dies each time that Spark starts it',
    'find the cause: `cryptopipe logs RUN`; while it lives, end it: `cryptopipe stop RUN --kill`',
  ),
  'no executors': ill(
    'its driver runs, and no worker has room for an executor, so no work is done',
    'end another run, or start a worker',
  ),
  silent: ill(
    'its driver runs, and the job has not said for 15 s that it lives: it hangs, or cannot reach PostgreSQL',
    'if it stays so: `cryptopipe stop RUN --kill`, then `cryptopipe submit JOB`',
  ),
  'worker lost': ill(
    'the worker of its driver does not answer any more; a moment later it is known whether the run went with it',
    '`cryptopipe stack up` starts a worker that died; look again with `cryptopipe runs`',
  ),
  relaunching: ill(
    'its worker was lost; Spark starts the program again, under a new driver id, on the next worker with room',
    'start a worker: `cryptopipe stack up`',
  ),
  recovering: ill('the master has restarted and waits for the worker to report its driver', 'wait a minute'),
  forgotten: ill(
    'the master does not know its driver any more, and the job still says that it lives',
    'end it in order with `cryptopipe stop RUN`, then `cryptopipe submit JOB`',
  ),
  stopping: well(
    'it was asked to stop, and ends at its next batch boundary',
    'by force: `cryptopipe stop RUN --kill`',
  ),
  unreachable: ill(
    'Spark does not answer, or refuses to, so nobody can say how its driver is; nothing is written down',
    '`cryptopipe status` names what does not answer, `cryptopipe stack up` starts what died',
  ),
  finished: well('the job has ended well'),
  failed: ill(
    'the job has ended badly, or its driver or worker died',
    'see why: `cryptopipe logs RUN`; again: `cryptopipe submit JOB`',
  ),
  stopped: well('it was ended on request before its work was done'),
  killed: ill('it was killed, and not by `cryptopipe stop`', 'again: `cryptopipe submit JOB`'),
  lost: ill(
    'it never reached Spark, or the master has forgotten it and the job is silent: nobody knows how it ended',
    'again: `cryptopipe submit JOB`',
  ),
} as const satisfies Readonly<Record<string, SituationMeaning>>;

export type SituationName = keyof typeof situations;
