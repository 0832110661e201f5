/** Lets `most` things happen in any span of `spanMs`; one more is refused. */
export class RollingLimit {
  private readonly times: number[] = [];

  constructor(
    private readonly most: number,
    private readonly spanMs: number,
  ) {}

  take(now: number): boolean {
    while ((this.times[0] ?? now) <= now - this.spanMs) this.times.shift();
    if (this.times.length >= this.most) return false;
    this.times.push(now);
    return true;
  }
}

/** At most 5 messages of a client (pings, pongs and JSON together) in a second, strictly. */
export class MessageLimit extends RollingLimit {
  constructor() {
    super(5, 1_000);
  }
}
