import { describe, expect, it } from 'vitest';
import { wasNeverSent } from '../../../src/http/failure.js';
import { UnreachableError } from '../../../src/core/errors.js';

const systemError = (code: string, syscall: string): Error =>
  Object.assign(new Error(code), { code, syscall });

describe('a request was never sent', () => {
  it.each([
    [true, 'refused', systemError('ECONNREFUSED', 'connect')],
    [true, 'given up in making the connection', systemError('ETIMEDOUT', 'connect')],
    [true, 'to a name that nobody has', systemError('ENOTFOUND', 'getaddrinfo')],
    // The same code, on a connection over which the request may have gone already.
    [false, 'when the network goes away', systemError('EHOSTUNREACH', 'read')],
    [false, 'when the connection breaks', systemError('ECONNRESET', 'read')],
    [false, 'when it takes too long', new DOMException('it took too long', 'TimeoutError')],
  ])('%s: %s', (expected, _when, cause) => {
    expect(wasNeverSent(cause)).toBe(expected);
    expect(wasNeverSent(new UnreachableError('no answer', { cause }))).toBe(expected);
  });

  it('to a name with two addresses only when neither was reached', () => {
    const refused = systemError('ECONNREFUSED', 'connect');
    const both = Object.assign(new AggregateError([refused, refused]), { code: 'ECONNREFUSED' });
    expect(wasNeverSent(both)).toBe(true);
    expect(wasNeverSent(new AggregateError([refused, systemError('ECONNRESET', 'read')]))).toBe(false);
  });
});
