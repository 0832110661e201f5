import type { Plan, Step } from './plan.js';

/** What a cluster started. */
export interface StartedDriver {
  readonly id: string;
  readonly runId: string;
  readonly isLive: boolean;
}

/** A place where one job is submitted, killed and submitted again; it shows each step of the client from outside. */
export interface Stage {
  readonly env: Readonly<Record<string, string>>;
  /** The command line of the client. */
  readonly args: readonly string[];
  /** Told of every step of the client that runs now. */
  onStep: (step: Step) => void;
  /** Makes the master do what a plan says. */
  prepare(plan: Plan): void;
  /** Run ids of the POSTs that came whole in this round, in their order. */
  posted(): readonly string[];
  /** Every driver that was started in this round. */
  drivers(): Promise<readonly StartedDriver[]>;
  /** Called before the call that is left alone. */
  disturb(plan: Plan): void;
  /** What else is wrong here, as sentences. */
  inspect(): readonly string[];
  /** Ends what lives and begins a new round. */
  clear(): Promise<void>;
  close(): Promise<void>;
}
