/** What an error carries beside its message: facts as fields, so that nobody parses text. */
export interface ErrorDetails {
  /** What to do next, one sentence for the person who reads it. */
  readonly nextStep?: string;
  /** The end of a log that shows the cause. */
  readonly logTail?: string;
  readonly cause?: unknown;
}

/** An expected failure: it says what happened, on what, why, and what to do next. Anything else is a bug of ours. */
export abstract class CryptopipeError extends Error {
  abstract readonly exitCode: 2 | 3 | 4 | 5 | 130;
  readonly nextStep: string | undefined;
  readonly logTail: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.nextStep = details.nextStep;
    this.logTail = details.logTail;
  }
}

/** The command was typed wrongly: unknown symbol, flags that contradict each other. */
export class UsageError extends CryptopipeError {
  readonly exitCode = 2;
}

/** The exchange lists no such symbol. */
export class UnknownSymbolError extends UsageError {
  constructor(
    message: string,
    readonly symbol: string,
    details: ErrorDetails = {},
  ) {
    super(message, details);
  }
}

/** The configuration is wrong: a setting, a missing prerequisite, a taken port. */
export class ConfigError extends CryptopipeError {
  readonly exitCode = 3;
}

/** A system did not answer, or refused; a later try may help if `retryable`. */
export class UnreachableError extends CryptopipeError {
  readonly exitCode = 4;
  readonly retryable: boolean;
  /** Epoch ms before which no call will be answered, where the system said so. */
  readonly retryAt: number | undefined;

  constructor(
    message: string,
    details: ErrorDetails & { readonly retryable?: boolean; readonly retryAt?: number } = {},
  ) {
    super(message, details);
    this.retryable = details.retryable ?? true;
    this.retryAt = details.retryAt;
  }
}

/** The job failed, or the data are not as they should be. */
export class JobFailedError extends CryptopipeError {
  readonly exitCode = 5;
}

/** A system answered, and said no: what was asked of it did not happen there. */
export class RefusedError extends UnreachableError {}

/** Ctrl-C ended a wait; what was waited for goes on. */
export class InterruptedError extends CryptopipeError {
  readonly exitCode = 130;
}
