CREATE TABLE sale_change (
    sale TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (sale, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE pending_sale (
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    till TEXT NOT NULL,
    language TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
