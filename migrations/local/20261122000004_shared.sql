-- What processes on one data folder share.

-- Fences of runs. A released lease keeps its row, so that its fence never comes again.
CREATE TABLE leases (
    key      TEXT    PRIMARY KEY NOT NULL,
    -- NULL once released.
    holder   TEXT,
    fence    INTEGER NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    tag       TEXT    NOT NULL,
    -- No foreign keys: an event outlives what it tells of.
    source_id INTEGER,
    run_uid   TEXT,
    at        INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value))
) STRICT;

-- When the next request to a host may be sent.
CREATE TABLE pace (
    host    TEXT    PRIMARY KEY NOT NULL,
    next_ms INTEGER NOT NULL
) STRICT;
