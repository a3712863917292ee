CREATE TABLE claim (
    key TEXT PRIMARY KEY,
    used INTEGER NOT NULL CHECK (used >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO claim SELECT 'reward/' || reward, count FROM given_out WHERE count > 0;

DROP TABLE given_out;

CREATE TABLE bearer_coupon (
    id TEXT PRIMARY KEY,
    idx TEXT NOT NULL UNIQUE,
    template TEXT NOT NULL,
    expires_ms INTEGER,
    state TEXT NOT NULL,
    sale TEXT NOT NULL,
    until_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE lottery_seed (
    lottery TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    commit_hex TEXT NOT NULL,
    revealed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
