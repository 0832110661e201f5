/** A system that does not answer, since when (epoch ms) and why. */
export interface Outage {
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

/** The outages of one process: all calls to a system share its outage, so that it is reported once. */
export class Outages {
  private readonly open = new Map<string, Outage>();
  private readonly listeners = new Set<OutageListener>();

  /** Returns a function that removes the listener. */
  listen(listener: OutageListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get current(): readonly Outage[] {
    return [...this.open.values()];
  }

  /** A call to the system failed in a way that a later call may not. */
  failed(system: string, reason: string, now: number): void {
    if (this.open.has(system)) return;
    const outage = { system, since: now, reason };
    this.open.set(system, outage);
    for (const { onBegin } of this.listeners) onBegin(outage);
  }

  /** The system answered. */
  answered(system: string, now: number): void {
    const outage = this.open.get(system);
    if (outage === undefined) return;
    this.open.delete(system);
    for (const { onEnd } of this.listeners) onEnd({ ...outage, until: now });
  }
}
