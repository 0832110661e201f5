import type { ChartWish, DashboardEvent } from '../core/dashboard.js';

type Update = Extract<DashboardEvent, { name: 'update' }>;
type Stale = Extract<DashboardEvent, { name: 'stale' }>;

export interface LiveListener {
  readonly onUpdate: (update: Update) => void;
  readonly onStale: (stale: Stale) => void;
  /** The stream has broken; it is tried again. */
  readonly onBreak: () => void;
}

/** A browser gives up by itself after an answer that is no stream: the server is full, or just starting. */
const againMs = 2_000;

const addressOf = (wish: ChartWish): string => {
  const given = Object.entries(wish).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `events?${new URLSearchParams(given).toString()}`;
};

/** Follows one chart until the returned function is called. */
export function follow(wish: ChartWish, listener: LiveListener): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  const open = (): void => {
    const opened = new EventSource(addressOf(wish));
    source = opened;
    opened.addEventListener('update', (event: MessageEvent<string>) =>
      listener.onUpdate({ name: 'update', ...(JSON.parse(event.data) as Omit<Update, 'name'>) }),
    );
    opened.addEventListener('stale', (event: MessageEvent<string>) =>
      listener.onStale({ name: 'stale', ...(JSON.parse(event.data) as Omit<Stale, 'name'>) }),
    );
    opened.addEventListener('error', () => {
      listener.onBreak();
      if (opened.readyState === EventSource.CLOSED) timer = setTimeout(open, againMs);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
