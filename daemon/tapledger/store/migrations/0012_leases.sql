CREATE TABLE lease (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL,
    close_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_close ON lease (close_ms);
