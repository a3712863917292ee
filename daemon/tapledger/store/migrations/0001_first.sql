CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    member TEXT,
    raw BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)
) STRICT;

CREATE INDEX event_by_member ON event (member, epoch, seq);

CREATE TABLE operation (
    op_key TEXT PRIMARY KEY,
    input_hash BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    id TEXT PRIMARY KEY,
    state BLOB NOT NULL,
    unsettled_points INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
    idx TEXT PRIMARY KEY,
    member TEXT NOT NULL,
    kind TEXT NOT NULL,
    min_level INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE profile (
    member TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE voucher (
    idx TEXT PRIMARY KEY,
    member TEXT NOT NULL,
    hold TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE given_out (
    reward TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE print_job (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    document BLOB NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX print_job_by_state ON print_job (state, number);

CREATE TABLE draft (
    till TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    pin_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
