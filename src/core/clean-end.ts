/**
 * How a producer ended as it should. `order`: Ctrl-C, SIGTERM or `produce --stop`. `caught up`: there was nothing more to fetch.
 * `given up`: `produce --give-up`, the symbol is not wanted any more.
 */
export type CleanEnd = 'order' | 'caught up' | 'given up';

export const isCleanEnd = (value: unknown): value is CleanEnd =>
  value === 'order' || value === 'caught up' || value === 'given up';
