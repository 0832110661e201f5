import { isStreamName, MOST_STREAMS } from './stream-names.js';

/** What the control messages of a connection look at and change. */
export interface Subscriptions {
  /** In the order in which they were asked for. */
  list(): readonly string[];
  add(stream: string): void;
  remove(stream: string): void;
  isCombined: boolean;
}

type RequestId = number | string | null;

class ControlError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'] as const;
type Method = (typeof METHODS)[number];

/**
 * Does what a client's message asks and gives the answer. Codes and texts: the exchange's web-socket-streams.md; the
 * wrapper `{"error":…,"id":…}` as recorded from its spot streams; places (`line 1 column …`) are not worked out.
 */
export function answerControl(text: string, subscriptions: Subscriptions): string {
  let id: RequestId = null;
  try {
    const request = parseObject(text);
    id = parseId(request['id']);
    const result = perform(parseMethod(request['method']), request['params'], subscriptions);
    return JSON.stringify({ result, id });
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return JSON.stringify({ error: { code: error.code, msg: error.message }, id });
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ControlError(3, 'Invalid JSON: expected value at line 1 column 1');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid('missing field `method` at line 1 column 1');
}

const invalid = (why: string): ControlError => new ControlError(2, `Invalid request: ${why}`);

/** A whole number, a text of up to 36 letters and digits, or nothing. */
function parseId(value: unknown): RequestId {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'string' && /^[A-Za-z0-9-]{0,36}$/.test(value)) return value;
  throw invalid('request ID must be an unsigned integer');
}

function parseMethod(value: unknown): Method {
  if (value === undefined) throw invalid('missing field `method` at line 1 column 1');
  const method = METHODS.find((name) => name === value);
  if (method !== undefined) return method;
  const names = METHODS.map((name) => `\`${name}\``).join(', ');
  throw invalid(
    `unknown variant ${typeof value === 'string' ? value : JSON.stringify(value)}, expected one of ${names} at line 1 column 28`,
  );
}

function perform(method: Method, params: unknown, subscriptions: Subscriptions): unknown {
  switch (method) {
    case 'SUBSCRIBE':
      subscribe(parseStreams(params), subscriptions);
      return null;
    case 'UNSUBSCRIBE':
      for (const stream of parseStreams(params)) subscriptions.remove(stream);
      return null;
    case 'LIST_SUBSCRIPTIONS':
      return subscriptions.list();
    case 'SET_PROPERTY': {
      const [name, value] = parseProperty(params, 2);
      if (name !== 'combined') throw new ControlError(0, 'Unknown property');
      if (typeof value !== 'boolean') throw new ControlError(1, 'Invalid value type: expected Boolean');
      subscriptions.isCombined = value;
      return null;
    }
    case 'GET_PROPERTY':
      if (parseProperty(params, 1)[0] !== 'combined') throw new ControlError(0, 'Unknown property');
      return subscriptions.isCombined;
  }
}

function parseStreams(params: unknown): readonly string[] {
  if (!Array.isArray(params)) throw invalid('invalid stream');
  return params.map((name: unknown) => {
    if (typeof name === 'string' && isStreamName(name)) return name;
    throw invalid('invalid stream');
  });
}

/** All or none: a request that goes past the limit changes nothing. */
function subscribe(streams: readonly string[], subscriptions: Subscriptions): void {
  const together = new Set([...subscriptions.list(), ...streams]);
  if (together.size > MOST_STREAMS) throw new ControlError(4, 'Too many subscriptions');
  for (const stream of streams) subscriptions.add(stream);
}

function parseProperty(params: unknown, most: number): readonly unknown[] {
  const values: readonly unknown[] = Array.isArray(params) ? params : [];
  if (values.length > most) throw invalid('too many parameters');
  if (typeof values[0] !== 'string') throw invalid('property name must be a string');
  return values;
}
