import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { percentile, type Measure } from './report.js';
import { eventually, type World } from './world.js';

/** Of Spark itself; it prints a version and ends. */
const mainClass = 'org.apache.hadoop.util.VersionInfo';
const topic = 'bench_acceptance';
const rounds = 10;

/** A driver as the master knows it. */
interface Driver {
  readonly id: string;
  readonly state: string;
  /** Epoch ms: when the master took it. */
  readonly starttime: string;
}

interface Spark {
  readonly uiUrl: string;
  readonly masterUrl: string;
  readonly home: string;
}

async function driversOf({ uiUrl }: Spark): Promise<Driver[]> {
  const answer = await fetch(`${uiUrl}/json/`, { signal: AbortSignal.timeout(10_000) });
  const { activedrivers, completeddrivers } = (await answer.json()) as Record<string, Driver[]>;
  return [...(activedrivers ?? []), ...(completeddrivers ?? [])];
}

/** Starts a submission, and gives the seconds until the master had taken its driver, by the master's own time. */
async function timed(spark: Spark, submit: () => Promise<void>): Promise<number> {
  const before = new Set((await driversOf(spark)).map(({ id }) => id));
  const startedAt = Date.now();
  await submit();
  const driver = (await driversOf(spark)).find(({ id }) => !before.has(id));
  if (driver === undefined) throw new Error('the master has taken no driver');
  // What still runs would slow the next one.
  await eventually(`the end of ${driver.id}`, 60_000, async () => {
    const state = (await driversOf(spark)).find(({ id }) => id === driver.id)?.state;
    return state === 'SUBMITTED' || state === 'RUNNING' ? undefined : true;
  });
  return (Number(driver.starttime) - startedAt) / 1000;
}

/** Where the stack's Spark lies, as its data folder notes. */
async function sparkHome(dataDir: string): Promise<string> {
  const note = JSON.parse(await readFile(join(dataDir, 'installation.json'), 'utf8')) as {
    sparkHome: string;
  };
  return note.sparkHome;
}

const jarOf = ({ home }: Spark): string => `file://${join(home, 'jars', 'spark-launcher_2.13-4.2.0.jar')}`;

function sparkSubmit(spark: Spark): Promise<void> {
  const { home, masterUrl } = spark;
  const args = ['--master', masterUrl, '--deploy-mode', 'cluster', '--driver-memory', '512m'];
  return new Promise((resolve, reject) => {
    const child = spawn(join(home, 'bin', 'spark-submit'), [...args, '--class', mainClass, jarOf(spark)], {
      env: { ...process.env, SPARK_HOME: home, SPARK_LOCAL_IP: '127.0.0.1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (part: Buffer) => (said += part.toString()));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`spark-submit ended with ${code ?? 'a signal'}:\n${said.slice(-2000)}`));
    });
  });
}

/** How much sooner a driver is accepted than by spark-submit, both in turn on one master. */
export async function measureAcceptance(world: World): Promise<Measure[]> {
  await world.run(topic, ['init', '--json']);
  const [addresses] = await world.run(topic, ['stack', 'env', '--json']);
  const spark: Spark = {
    uiUrl: String(addresses?.['SPARK_UI_URL']),
    masterUrl: String(addresses?.['SPARK_MASTER_URL']),
    home: await sparkHome(String(addresses?.['CRYPTOPIPE_DATA_DIR'])),
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    ours.push(
      await timed(spark, async () => {
        await world.run(topic, [
          ...['submit', 'jar', jarOf(spark), '--class', mainClass, '--driver-memory', '512m'],
          ...['--json', '--wait'],
        ]);
      }),
    );
    theirs.push(await timed(spark, () => sparkSubmit(spark)));
    world.say(
      `round ${round} of ${rounds}: cryptopipe ${ours.at(-1)?.toFixed(2) ?? ''} s, spark-submit ${theirs.at(-1)?.toFixed(2) ?? ''} s`,
    );
  }
  return measuresOf(ours.sort(byValue), theirs.sort(byValue));
}

const byValue = (left: number, right: number): number => left - right;

function measuresOf(ours: readonly number[], theirs: readonly number[]): Measure[] {
  const of = (values: readonly number[]): { value: number; unit: string; note: string } => ({
    value: percentile(values, 0.5),
    unit: 's',
    note: `median of ${values.length}, longest ${(values.at(-1) ?? Number.NaN).toFixed(2)} s; from the start of the process until the master took the driver, by its own time`,
  });
  const ratio = percentile(theirs, 0.5) / percentile(ours, 0.5);
  return [
    { bench: 'acceptance', what: 'cryptopipe submit jar to acceptance', goal: 'under 1', ...of(ours) },
    { bench: 'acceptance', what: 'the peer: spark-submit, cluster mode, a JAR', ...of(theirs) },
    {
      bench: 'acceptance',
      what: 'spark-submit over cryptopipe',
      value: ratio,
      unit: 'times',
      note: 'medians; the same JAR for both, on every worker already; cryptopipe also writes the run down before it posts',
    },
  ];
}
