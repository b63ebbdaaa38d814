-- When the counters of a message were read: of two readings the later one counts, in whatever order they
-- are told. Rows of before this date count as never read.
ALTER TABLE messages ADD COLUMN counted_at INTEGER NOT NULL DEFAULT 0;
