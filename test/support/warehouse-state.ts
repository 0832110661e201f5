import type { Pipeline } from './pipeline.js';

/** One part of the warehouse: how many rows, and a hash of them in order. */
export interface Fingerprint {
  readonly rows: number;
  readonly sha256: string;
}

/** What must be the same rows whatever happened on the way; of times of writing only whether they are set. */
const parts = {
  trades: `SELECT to_jsonb(trade)::text AS line FROM crypto.crypto_prices_clean AS trade`,
  bars: `SELECT (to_jsonb(bar) - 'updated_at' - 'finalized_at'
      || jsonb_build_object('is_final', finalized_at IS NOT NULL))::text AS line
    FROM crypto.crypto_prices_agg_1min AS bar`,
  coverage: `SELECT to_jsonb(coverage)::text AS line FROM crypto.coverage`,
} as const;

export async function stateOf({
  rows,
}: Pick<Pipeline, 'rows'>): Promise<Record<keyof typeof parts, Fingerprint>> {
  const entries = Object.entries(parts).map(async ([name, lines]) => {
    const [found] = await rows(
      `SELECT count(*) AS rows, encode(sha256(convert_to(coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE "C"), ''),
         'UTF8')), 'hex') AS sha256 FROM (${lines}) AS part`,
    );
    return [name, found];
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<keyof typeof parts, Fingerprint>;
}

export interface Counts {
  readonly counted: number;
  readonly repeated: number;
  readonly conflicted: number;
  readonly rejected: number;
}

/** What the batches of a query say in sum, of all runs or of one. */
export async function countsOf(
  { rows }: Pick<Pipeline, 'rows'>,
  query: 'hot' | 'lake',
  runId?: string,
): Promise<Counts> {
  const [sums] = await rows(
    `SELECT coalesce(sum(counted), 0)::int8 AS counted, coalesce(sum(repeated), 0)::int8 AS repeated,
       coalesce(sum(conflicted), 0)::int8 AS conflicted, coalesce(sum(rejected), 0)::int8 AS rejected
     FROM crypto.batches WHERE query = $1 AND ($2::text IS NULL OR run_id = $2)`,
    [query, runId ?? null],
  );
  return sums as unknown as Counts;
}
