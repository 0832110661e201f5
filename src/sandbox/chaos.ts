import type { Chaos } from '../core/ports/sandbox.js';
import type { Fault } from './fault.js';
import { hash, keyFor, keyOf } from './tapes/hash.js';

const MINUTE_MS = 60_000;
/** How soon it is looked again whether a connection has come that the last fault can meet. */
const LOOK_AGAIN_MS = 250;

/** Makes a fault of a kind; `pick` gives a whole number from one to another, both included. */
type Kind = (pick: (from: number, to: number) => number) => Fault;

const kinds: readonly Kind[] = [
  (pick) => ({ stream: 'drop', count: pick(1, 20) }),
  (pick) => ({ stream: 'double', count: pick(1, 20) }),
  (pick) => ({ stream: 'reorder', count: pick(2, 20) }),
  (pick) => ({ stream: 'silence', seconds: pick(2, 30) }),
  () => ({ stream: 'close', code: 1001 }),
  () => ({ stream: 'close', code: 1006 }),
  () => ({ stream: 'close', code: 1008 }),
  (pick) => ({ stream: 'shutdown', afterSeconds: pick(1, 3) }),
  (pick) => ({ stream: 'cut', afterSeconds: pick(1, 5) }),
  (pick) => ({ rest: 'outage', seconds: pick(1, 5), how: '503' }),
  (pick) => ({ rest: 'outage', seconds: pick(1, 5), how: 'drop' }),
];

/** The `index`th fault of a seed: each of its kinds once in each round, in an order of the round's own. */
export function chaosFault(seed: string, index: number): Fault {
  const key = keyOf(`chaos/${seed}`);
  const round = Math.floor(index / kinds.length);
  const order = kinds
    .map((make, place) => ({ make, rank: hash(keyFor(key, `round ${round}`), place) }))
    .sort((left, right) => left.rank - right.rank);
  const chosen = order[index % kinds.length]?.make;
  if (chosen === undefined) throw new Error('no kind of fault');
  const size = hash(keyFor(key, 'size'), index);
  return chosen((from, to) => from + (size % (to - from + 1)));
}

/** Ms before the `index`th fault of a seed: half to one and a half of the mean. */
export function chaosPause({ seed, faultsPerMinute }: Chaos, index: number): number {
  const part = hash(keyFor(keyOf(`chaos/${seed}`), 'pause'), index) / 0x1_0000_0000;
  return Math.round((MINUTE_MS / faultsPerMinute) * (0.5 + part));
}

/** Injects one fault after another until `stop`; while the last one still waits for a connection, no other comes. */
export class ChaosRunner {
  private timer: NodeJS.Timeout | undefined;
  private index = 0;

  constructor(
    private readonly chaos: Chaos,
    private readonly faults: { readonly isWaiting: () => boolean; readonly inject: (fault: Fault) => void },
  ) {}

  start(): void {
    this.timer = setTimeout(() => this.next(), chaosPause(this.chaos, this.index));
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private next(): void {
    if (this.faults.isWaiting()) {
      this.timer = setTimeout(() => this.next(), LOOK_AGAIN_MS);
      return;
    }
    this.faults.inject(chaosFault(this.chaos.seed, this.index));
    this.index += 1;
    this.start();
  }
}
