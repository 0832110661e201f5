-- Up to which offset each query has committed each partition, kept beside the batches. A batch names only the partitions that
-- it had messages of, so the last one of a quiet partition may be a million batches back: no index on them finds it soon.
CREATE INDEX batches_newest ON crypto.batches (query, topic, id DESC);

CREATE TABLE crypto.committed_offsets (
  query        TEXT        NOT NULL,
  topic        TEXT        NOT NULL,
  partition    INTEGER     NOT NULL,
  generation   TEXT        NOT NULL,
  next_offset  BIGINT      NOT NULL,
  committed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (query, topic, partition)
);

INSERT INTO crypto.committed_offsets (query, topic, partition, generation, next_offset, committed_at)
SELECT DISTINCT ON (query, topic, part.number::INTEGER)
  query,
  topic,
  part.number::INTEGER,
  generation,
  (part.range ->> 1)::BIGINT,
  committed_at
FROM crypto.batches, jsonb_each(offsets) AS part (number, range)
ORDER BY query, topic, part.number::INTEGER, id DESC;

-- In sorted order, so that two drivers never wait in a circle. A batch that runs again does not go back in its generation.
CREATE FUNCTION crypto.keep_committed_offsets() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO crypto.committed_offsets AS held (query, topic, partition, generation, next_offset, committed_at)
  SELECT NEW.query, NEW.topic, part.number::INTEGER, NEW.generation, (part.range ->> 1)::BIGINT, NEW.committed_at
  FROM jsonb_each(NEW.offsets) AS part (number, range)
  ORDER BY part.number::INTEGER
  ON CONFLICT (query, topic, partition) DO UPDATE SET
    generation = EXCLUDED.generation,
    next_offset = CASE WHEN held.generation = EXCLUDED.generation
                       THEN greatest(held.next_offset, EXCLUDED.next_offset) ELSE EXCLUDED.next_offset END,
    committed_at = EXCLUDED.committed_at;
  RETURN NULL;
END
$$;

CREATE TRIGGER committed_offsets_follow_the_batches
AFTER INSERT ON crypto.batches
FOR EACH ROW
EXECUTE FUNCTION crypto.keep_committed_offsets();
