import type { TapeOddities } from '../../core/ports/sandbox.js';
import { Halts } from './halts.js';
import { hash, keyFor, unit } from './hash.js';

const MINUTE_MS = 60_000;
const BLOCK_MINUTES = 16;
/** Trade 0 of every generated tape; older times have no trades. */
const GENESIS_MS = Date.UTC(2017, 0, 1);
/** Sizes of groups that share one millisecond, and how many groups of that size do: one in so many. */
const BURSTS: readonly { readonly size: number; readonly oneIn: number }[] = [
  { size: 512, oneIn: 48 },
  { size: 32, oneIn: 12 },
  { size: 4, oneIn: 2 },
];
/** The largest group that was ever seen in one millisecond of an ordinary day; one minute in so many has it. */
const LARGEST_BURST = { size: 735, oneIn: 4 };
const CACHED_BLOCKS = 64;

/** One minute of a schedule: `count` trades from `firstId` on. */
export interface ScheduledMinute {
  readonly start: number;
  readonly firstId: number;
  readonly count: number;
}

/**
 * When trades happen, as a pure function of a key: which id falls into which minute has a closed form per block of 16
 * minutes, so any id and any time is found without walking there. Each block has one quiet minute and one busy one.
 * Halts take the trades out of their minutes into the others of the block; a block that is all halt takes up no ids.
 */
export class Schedule {
  private readonly perBlock: number;
  private readonly shapeKey: number;
  private readonly burstKeys: readonly number[];
  private readonly jitterKey: number;
  private readonly largestBurstKey: number | undefined;
  private readonly halts: Halts;
  /** Only a cache: what is in it changes no answer. */
  private readonly blocks = new Map<number, readonly number[]>();

  constructor(key: number, ratePerSecond: number, oddities?: TapeOddities) {
    this.perBlock = Math.max(1, Math.round(BLOCK_MINUTES * 60 * ratePerSecond));
    this.shapeKey = keyFor(key, 'shape');
    this.jitterKey = keyFor(key, 'jitter');
    this.burstKeys = BURSTS.map(({ size }) => keyFor(key, `burst ${size}`));
    this.largestBurstKey = oddities?.hasBursts === true ? keyFor(key, 'largest burst') : undefined;
    this.halts = new Halts(key, oddities?.halts ?? [], {
      isSeeded: oddities?.hasHalts === true,
      blockMinutes: BLOCK_MINUTES,
      origin: GENESIS_MS,
    });
  }

  minuteOfId(id: number): ScheduledMinute {
    const filled = Math.floor(id / this.perBlock);
    let block = filled;
    for (const halted of this.halts.wholeBlocks) if (halted <= block) block += 1;
    const ends = this.minuteEnds(block);
    const inside = id - filled * this.perBlock;
    return this.minute(
      block,
      ends.findIndex((end) => inside < end),
    );
  }

  /** The id of the first trade at this time or later. */
  firstIdAt(time: number): number {
    if (time <= GENESIS_MS) return 0;
    const index = Math.floor((time - GENESIS_MS) / MINUTE_MS);
    const minute = this.minute(Math.floor(index / BLOCK_MINUTES), index % BLOCK_MINUTES);
    let low = 0;
    let high = minute.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeOf(minute, this.leaderOf(minute, middle)) < time) low = middle + 1;
      else high = middle;
    }
    return minute.firstId + low;
  }

  isHaltedAt(time: number): boolean {
    return time >= GENESIS_MS && this.halts.isHalted(Math.floor((time - GENESIS_MS) / MINUTE_MS));
  }

  /** The first trade of the burst that the `index`th trade of the minute belongs to, or that trade itself. */
  leaderOf(minute: ScheduledMinute, index: number): number {
    const burst = this.largestBurst(minute);
    const isInside = burst !== undefined && index >= burst && index < burst + LARGEST_BURST.size;
    return isInside ? burst : this.usualLeader(minute, index);
  }

  /** Where the largest burst of a minute begins, if it has one. */
  private largestBurst({ firstId, count }: ScheduledMinute): number | undefined {
    const { size, oneIn } = LARGEST_BURST;
    if (this.largestBurstKey === undefined || count < 2 * size) return undefined;
    const bits = hash(this.largestBurstKey, firstId);
    return bits % oneIn === 0 ? Math.floor(bits / oneIn) % (count - size) : undefined;
  }

  private usualLeader(minute: ScheduledMinute, index: number): number {
    for (const [level, { size, oneIn }] of BURSTS.entries()) {
      if (size * 4 > minute.count) continue;
      const leader = index - (index % size);
      if (hash(this.burstKeys[level] ?? 0, minute.firstId + leader) % oneIn === 0) return leader;
    }
    return index;
  }

  /** Epoch ms of the trade at a leader's place; never decreases with the place. */
  timeOf(minute: ScheduledMinute, leader: number): number {
    const place = leader + unit(this.jitterKey, minute.firstId + leader);
    return minute.start + Math.floor((MINUTE_MS * place) / minute.count);
  }

  private minute(block: number, index: number): ScheduledMinute {
    const ends = this.minuteEnds(block);
    const first = index === 0 ? 0 : (ends[index - 1] ?? 0);
    const haltedBefore = this.halts.wholeBlocks.filter((halted) => halted < block).length;
    return {
      start: GENESIS_MS + (block * BLOCK_MINUTES + index) * MINUTE_MS,
      firstId: (block - haltedBefore) * this.perBlock + first,
      count: (ends[index] ?? 0) - first,
    };
  }

  /** How many trades of a block have happened by the end of each of its minutes. */
  private minuteEnds(block: number): readonly number[] {
    const known = this.blocks.get(block);
    if (known !== undefined) return known;
    const quiet = hash(this.shapeKey, block * 2) % BLOCK_MINUTES;
    const busy = (quiet + 1 + (hash(this.shapeKey, block * 2 + 1) % (BLOCK_MINUTES - 1))) % BLOCK_MINUTES;
    const minuteKey = keyFor(this.shapeKey, 'minute');
    const weights = Array.from({ length: BLOCK_MINUTES }, (_, index) => {
      if (index === quiet || this.halts.isHalted(block * BLOCK_MINUTES + index)) return 0;
      const chance = unit(minuteKey, block * BLOCK_MINUTES + index);
      return index === busy ? 4 + 4 * chance : 0.4 + 1.2 * chance;
    });
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const last = weights.findLastIndex((weight) => weight > 0);
    let reached = 0;
    const ends = weights.map((weight, index) => {
      reached += weight;
      if (last < 0) return 0;
      return index >= last ? this.perBlock : Math.floor((this.perBlock * reached) / all);
    });
    if (this.blocks.size >= CACHED_BLOCKS) this.blocks.clear();
    this.blocks.set(block, ends);
    return ends;
  }
}
