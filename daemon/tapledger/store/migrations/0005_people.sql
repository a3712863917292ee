CREATE TABLE leaving (
    member TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leaving_by_until ON leaving (until_ms);

CREATE TABLE virtual_card (
    idx TEXT PRIMARY KEY,
    member TEXT NOT NULL UNIQUE,
    sealed BLOB NOT NULL,
    last_slot INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    code TEXT NOT NULL,
    member TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;
