/** `npm run bench [-- --only a,b --json --trades n --seconds n --port-offset n]`: measures, prints, judges nothing. */
import { parseArgs } from 'node:util';
import { measureAcceptance } from './acceptance.js';
import { measureFinal } from './final.js';
import { measureHelp } from './help.js';
import { measureHot } from './hot.js';
import { measureLatency } from './latency.js';
import { measureLogs } from './logs.js';
import { loadNow, readMachine } from './machine.js';
import { measureProduce } from './produce.js';
import { endAll } from './program.js';
import { tableOf, type Measure } from './report.js';
import { measureSubmit } from './submit.js';
import { openWorld, type World } from './world.js';

/** In the order in which they run; `help` alone needs no servers. */
const benches = {
  help: measureHelp,
  produce: measureProduce,
  hot: measureHot,
  acceptance: measureAcceptance,
  logs: measureLogs,
  submit: measureSubmit,
  latency: measureLatency,
  final: measureFinal,
};
type Name = keyof typeof benches;
const names = Object.keys(benches) as Name[];

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

function readFlags() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: names.join(',') },
      json: { type: 'boolean', default: false },
      trades: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '60' },
      'port-offset': { type: 'string', default: '22500' },
    },
  });
  const only = values.only.split(',').map((name) => name.trim());
  const unknown = only.filter((name) => !(names as string[]).includes(name));
  const numbers = [values.trades, values.seconds, values['port-offset']].map(Number);
  if (unknown.length > 0) throw new Error(`no bench ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  if (!numbers.every(Number.isInteger))
    throw new Error('--trades, --seconds and --port-offset are whole numbers');
  const [trades = 0, seconds = 0, portOffset = 0] = numbers;
  return {
    chosen: names.filter((name) => only.includes(name)),
    json: values.json,
    trades,
    seconds,
    portOffset,
  };
}

/** Rejects on Ctrl-C: whatever is under way is given up, and the servers are stopped. */
const interrupted = new Promise<never>((_resolve, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      endAll();
      reject(new Error(`ended by ${signal}`));
    });
});
interrupted.catch(() => undefined);

async function measureAll(flags: ReturnType<typeof readFlags>): Promise<Measure[]> {
  const measures: Measure[] = [];
  let world: World | undefined;
  const scale = { trades: flags.trades, seconds: flags.seconds };
  try {
    for (const name of flags.chosen) {
      say(`== ${name} (load ${loadNow()})`);
      if (name === 'help') {
        measures.push(...(await measureHelp()));
        continue;
      }
      world ??= await openWorld({ portOffset: flags.portOffset, scale }, say);
      measures.push(...(await Promise.race([benches[name](world), interrupted])));
    }
    return measures;
  } finally {
    say('stopping the servers');
    await world?.close();
  }
}

const flags = readFlags();
const machine = readMachine();
const measures = await measureAll(flags);
const report = { machine, loadAtEnd: loadNow(), measures };
if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  const { cores, processor, memoryGb, freeMemoryGb, load, node, commit } = machine;
  process.stdout.write(
    `${cores} cores (${processor}), ${memoryGb} GB memory (${freeMemoryGb} free), load ${load} at the begin and ${report.loadAtEnd} at the end, node ${node}, commit ${commit}\n${tableOf(measures)}\n`,
  );
}
