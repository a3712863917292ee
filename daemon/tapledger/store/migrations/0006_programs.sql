CREATE TABLE program (
    version TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    content BLOB NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE program_use (
    since_ms INTEGER PRIMARY KEY,
    version TEXT NOT NULL REFERENCES program (version)
) STRICT;
