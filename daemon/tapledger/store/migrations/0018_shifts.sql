-- Baskets that wait while another customer is served, and the business days of the till: from Z to Z.
CREATE TABLE parked (
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE shift (
    number INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
