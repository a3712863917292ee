CREATE TABLE enrolment_code (
    hash BLOB PRIMARY KEY,
    shop TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    used_by TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE node (
    node TEXT PRIMARY KEY,
    shop TEXT NOT NULL,
    name TEXT NOT NULL,
    public_key BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'quarantined', 'revoked')),
    enrolled_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE nonce (
    node TEXT NOT NULL,
    nonce TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (node, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX nonce_by_expiry ON nonce (expires_ms);

CREATE TABLE head (
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    hlc INTEGER NOT NULL,
    PRIMARY KEY (node, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    hlc INTEGER NOT NULL,
    member TEXT,
    verdict TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (node, epoch, seq)
) STRICT;

CREATE INDEX inbox_by_member ON inbox (member, hlc, node, epoch, seq) WHERE member IS NOT NULL;

CREATE TABLE quarantine (
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    head BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    batch BLOB NOT NULL,
    PRIMARY KEY (node, epoch, first_seq, head)
) STRICT;

CREATE TABLE scope (
    scope TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO scope VALUES ('all', 0);

CREATE TABLE member (
    scope TEXT NOT NULL,
    member TEXT NOT NULL,
    version INTEGER NOT NULL,
    hlc INTEGER NOT NULL,
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    settled BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, member)
) STRICT;

CREATE UNIQUE INDEX member_by_version ON member (scope, version);

CREATE TABLE profile (
    member TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    hlc INTEGER NOT NULL,
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sealed BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE claim (
    tenant TEXT NOT NULL,
    credential TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (tenant, credential)
) STRICT, WITHOUT ROWID;

CREATE TABLE difference (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    member TEXT,
    other_member TEXT,
    detail TEXT NOT NULL,
    found_ms INTEGER NOT NULL,
    UNIQUE (node, epoch, seq, code, detail)
) STRICT
