-- What was done for a source, and when.

CREATE TABLE runs (
    -- Rises with every run: the order of Activity.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    uid           TEXT    NOT NULL UNIQUE,
    source_id     INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    trigger       TEXT    NOT NULL,
    state         TEXT    NOT NULL
                  CHECK (state IN ('queued', 'running', 'completed', 'paused', 'cancelled', 'failed')),
    code          TEXT,
    detail        TEXT,
    paused_until  INTEGER,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    -- Runs without news in this row, itself included.
    folded        INTEGER NOT NULL DEFAULT 1,
    messages      INTEGER NOT NULL DEFAULT 0,
    edited        INTEGER NOT NULL DEFAULT 0,
    gone          INTEGER NOT NULL DEFAULT 0,
    samples       INTEGER NOT NULL DEFAULT 0,
    files         INTEGER NOT NULL DEFAULT 0,
    file_bytes    INTEGER NOT NULL DEFAULT 0,
    files_skipped INTEGER NOT NULL DEFAULT 0,
    files_failed  INTEGER NOT NULL DEFAULT 0,
    pages         INTEGER NOT NULL DEFAULT 0,
    page_bytes    INTEGER NOT NULL DEFAULT 0,
    retries       INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One run of a source at a time.
CREATE UNIQUE INDEX runs_open ON runs (source_id) WHERE state IN ('queued', 'running');
CREATE INDEX runs_source ON runs (source_id, id);
CREATE INDEX runs_state ON runs (state, id);

CREATE TABLE run_log (
    id     INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    level  TEXT    NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    text   TEXT    NOT NULL
) STRICT;

CREATE INDEX run_log_run ON run_log (run_id, id);

-- Bytes of files stored a day (UTC, days since 1970-01-01), for the daily caps.
CREATE TABLE day_bytes (
    source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    day       INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    PRIMARY KEY (source_id, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX day_bytes_day ON day_bytes (day, bytes);
