CREATE TABLE leaving (
    member TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leaving_by_until ON leaving (until_ms);

CREATE TABLE virtual_card (
    member TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    last_slot INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
