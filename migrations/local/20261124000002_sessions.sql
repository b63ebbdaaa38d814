-- Logins at Telegram, and the keys their sealed parts were sealed with.

CREATE TABLE sessions (
    -- The number people and the contract know: AUTOINCREMENT never gives it out twice.
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uid             TEXT    NOT NULL UNIQUE,
    session_name    TEXT    NOT NULL,
    -- Equal for names that differ in the case of letters only.
    name_key        TEXT    NOT NULL UNIQUE,
    phone_number    TEXT    NOT NULL,
    -- 16 hexadecimal digits. Not unique: the same key may be imported twice, if somebody insists.
    auth_key_id     TEXT    NOT NULL,
    origin          TEXT    NOT NULL,
    dc_id           INTEGER NOT NULL,
    foreign_address TEXT,
    api_id          INTEGER,
    -- Of the account, once checked.
    account         TEXT    CHECK (json_valid(account)),
    user_id         INTEGER,
    health          TEXT    NOT NULL
                    CHECK (health IN ('unchecked', 'active', 'unauthorised', 'banned', 'duplicated')),
    checked_at      INTEGER,
    created_at      INTEGER NOT NULL,
    -- Keys, address and proxy, sealed: a Fernet token, the key it was sealed with, and what binds it to this row.
    sealed_token    TEXT    NOT NULL,
    sealed_kid      TEXT    NOT NULL,
    sealed_mac      TEXT    NOT NULL
) STRICT;

CREATE INDEX sessions_auth_key ON sessions (auth_key_id);
CREATE INDEX sessions_sealed ON sessions (sealed_kid);
CREATE INDEX sources_session ON sources (session_ref) WHERE session_ref IS NOT NULL;

-- Which keys there are, and a value for each that only the right key opens. Never a key.
CREATE TABLE crypto_keys (
    kid        TEXT    PRIMARY KEY NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('primary', 'decrypt', 'retired', 'compromised')),
    kcv        TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX crypto_keys_primary ON crypto_keys (state) WHERE state = 'primary';

-- What is sealed and is no session: the api hash, a proxy's password.
CREATE TABLE sealed_settings (
    name         TEXT PRIMARY KEY NOT NULL,
    sealed_token TEXT NOT NULL,
    sealed_kid   TEXT NOT NULL,
    sealed_mac   TEXT NOT NULL
) STRICT;

-- Nothing is ever sealed with a key that is not the primary one, whatever a defect asks for.
CREATE TRIGGER sessions_sealed_by_primary BEFORE INSERT ON sessions
WHEN NEW.sealed_kid IS NOT (SELECT kid FROM crypto_keys WHERE state = 'primary')
BEGIN SELECT RAISE(ABORT, 'not sealed with the primary key'); END;

CREATE TRIGGER sessions_resealed_by_primary BEFORE UPDATE OF sealed_token ON sessions
WHEN NEW.sealed_kid IS NOT (SELECT kid FROM crypto_keys WHERE state = 'primary')
BEGIN SELECT RAISE(ABORT, 'not sealed with the primary key'); END;

CREATE TRIGGER settings_sealed_by_primary BEFORE INSERT ON sealed_settings
WHEN NEW.sealed_kid IS NOT (SELECT kid FROM crypto_keys WHERE state = 'primary')
BEGIN SELECT RAISE(ABORT, 'not sealed with the primary key'); END;

CREATE TRIGGER settings_resealed_by_primary BEFORE UPDATE ON sealed_settings
WHEN NEW.sealed_kid IS NOT (SELECT kid FROM crypto_keys WHERE state = 'primary')
BEGIN SELECT RAISE(ABORT, 'not sealed with the primary key'); END;
