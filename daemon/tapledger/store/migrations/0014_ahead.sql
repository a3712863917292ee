CREATE TABLE ahead (
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    member TEXT NOT NULL,
    own_epoch INTEGER NOT NULL,
    own_seq INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (node, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX ahead_by_member ON ahead (member);
