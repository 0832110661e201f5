/** A system that does not answer, since when (epoch ms) and why. */
export interface Outage {
  /** `exchange`; or `exchange (BTCUSDT)`, where the system answers every other call. */
  readonly system: string;
  readonly since: number;
  /** The first error, one line. */
  readonly reason: string;
}

/** Called once when an outage begins and once when it ends, however many calls fail in between. */
export interface OutageListener {
  readonly onBegin: (outage: Outage) => void;
  /** `until` is epoch ms. */
  readonly onEnd: (outage: Outage & { readonly until: number }) => void;
}

/** What a failed call was about, and when it failed first (epoch ms). */
export interface FailedPart {
  readonly part: string | undefined;
  readonly since: number;
}

/** The outages of one process: all calls to a system share its outage, so that it is reported once. */
export class Outages {
  private readonly open = new Map<string, Outage>();
  private readonly answeredAt = new Map<string, number>();
  private readonly listeners = new Set<OutageListener>();

  /** Returns a function that removes the listener. */
  listen(listener: OutageListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get current(): readonly Outage[] {
    return [...this.open.values()];
  }

  /**
   * A call to the system failed in a way that a later call may not. Where other calls were answered since it failed first, the
   * outage is one of its part alone: otherwise each of those answers would end it and the next failure begin it again.
   */
  failed(
    system: string,
    reason: string,
    now: number,
    { part, since }: FailedPart = { part: undefined, since: now },
  ): void {
    if (this.open.has(system)) return;
    const isPart = part !== undefined && (this.answeredAt.get(system) ?? -Infinity) > since;
    const name = isPart ? partName(system, part) : system;
    if (this.open.has(name)) return;
    const outage = { system: name, since, reason };
    this.open.set(name, outage);
    for (const { onBegin } of this.listeners) onBegin(outage);
  }

  /** The system answered, and so did its part that the call was about. */
  answered(system: string, now: number, part?: string): void {
    this.answeredAt.set(system, now);
    this.end(system, now);
    if (part !== undefined) this.end(partName(system, part), now);
  }

  private end(name: string, now: number): void {
    const outage = this.open.get(name);
    if (outage === undefined) return;
    this.open.delete(name);
    for (const { onEnd } of this.listeners) onEnd({ ...outage, until: now });
  }
}

const partName = (system: string, part: string): string => `${system} (${part})`;
