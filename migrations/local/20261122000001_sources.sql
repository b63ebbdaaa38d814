-- Where archives are kept, and what is scraped into them.
--
-- For all tables here: times are INTEGER milliseconds since 1970-01-01 UTC, enums are TEXT as
-- serde spells them, nested values are JSON TEXT, flags are 0 or 1.

-- The lowest format of this file that a program must know to use it. A migration that older
-- programs could not live with raises it; one that only adds leaves it.
PRAGMA user_version = 1;

CREATE TABLE targets (
    uid        TEXT    PRIMARY KEY NOT NULL,
    name       TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('LOCAL', 'NAS', 'S3')),
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    settings   TEXT    NOT NULL CHECK (json_valid(settings)),
    -- Equal for settings that lead to the same folder or bucket.
    place      TEXT    NOT NULL,
    -- Identity of the share, as in the marker file on it.
    nas_marker TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX targets_default ON targets (kind) WHERE is_default = 1;
CREATE INDEX targets_place ON targets (kind, place);

CREATE TABLE sources (
    -- The number people and the contract know: AUTOINCREMENT never gives it out twice.
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    uid            TEXT    NOT NULL UNIQUE,
    name           TEXT    NOT NULL,
    identifier     TEXT    NOT NULL,
    -- Equal for all spellings of one address.
    identifier_key TEXT    NOT NULL,
    channel_title  TEXT    NOT NULL,
    access_level   TEXT    NOT NULL CHECK (access_level IN ('public', 'private')),
    target_uid     TEXT    NOT NULL REFERENCES targets (uid),
    session_ref    INTEGER,
    schedule       TEXT    NOT NULL CHECK (json_valid(schedule)),
    policy         TEXT    NOT NULL CHECK (json_valid(policy)),
    paused_at      INTEGER,
    next_run_at    INTEGER,
    channel_id     INTEGER,
    folder         TEXT,
    created_at     INTEGER NOT NULL,
    -- Rows of this source in `messages`, kept in the same transactions.
    messages       INTEGER NOT NULL DEFAULT 0 CHECK (messages >= 0)
) STRICT;

CREATE UNIQUE INDEX sources_channel ON sources (identifier_key, target_uid);
CREATE INDEX sources_target ON sources (target_uid);
CREATE INDEX sources_due ON sources (next_run_at) WHERE paused_at IS NULL AND next_run_at IS NOT NULL;

-- How far a source has been scraped: a copy of what its archive's manifest says.
CREATE TABLE checkpoints (
    source_id  INTEGER PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
    checkpoint TEXT    NOT NULL CHECK (json_valid(checkpoint)),
    -- The channel's header as last read; NULL when only a manifest was read so far.
    channel    TEXT    CHECK (json_valid(channel))
) STRICT;
