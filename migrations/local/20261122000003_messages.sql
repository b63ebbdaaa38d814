-- An index of the messages in the archives; it can be rebuilt from them at any time.

-- With a rowid: texts are long, and the narrow key is scanned by itself.
CREATE TABLE messages (
    source_id     INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    id            INTEGER NOT NULL,
    date          INTEGER NOT NULL,
    -- Days since 1970-01-01 (UTC).
    day           INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    -- Where it was read: content hashes of two origins are never compared.
    origin        TEXT    NOT NULL,
    author        TEXT,
    text          TEXT    NOT NULL,
    views         INTEGER,
    views_rounded INTEGER NOT NULL,
    reactions     TEXT,
    -- [{"kind", "status", "reason"}]; NULL without files.
    media         TEXT,
    -- Reasons of the files that are not stored, as JSON; NULL when none is missing.
    missing       TEXT,
    -- Stored files and their bytes.
    files         INTEGER NOT NULL,
    file_bytes    INTEGER NOT NULL,
    -- The author's own mark.
    edited        INTEGER NOT NULL,
    -- The content changed after it was first kept.
    edited_after  INTEGER NOT NULL DEFAULT 0,
    gone          INTEGER NOT NULL DEFAULT 0,
    link          TEXT,
    album_id      INTEGER,
    content_hash  TEXT    NOT NULL,
    PRIMARY KEY (source_id, id)
) STRICT;

-- Answers days and facts without touching a text.
CREATE INDEX messages_facts ON messages
    (source_id, day, date, views, files, file_bytes, edited_after, gone);
CREATE INDEX messages_missing ON messages (source_id, missing) WHERE missing IS NOT NULL;
