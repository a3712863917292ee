CREATE TABLE name (
    kind INTEGER NOT NULL,
    key ANY NOT NULL,
    member INTEGER NOT NULL,
    min_level INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE name_log (
    seq INTEGER PRIMARY KEY,
    names BLOB NOT NULL
) STRICT;

INSERT INTO name SELECT 0, id, no, 0 FROM member ORDER BY id;

INSERT INTO name SELECT 1, idx, member, min_level FROM credential ORDER BY idx;

DROP TABLE credential;

ALTER TABLE member RENAME TO member_before;

DROP INDEX member_unsettled;

CREATE TABLE member (
    no INTEGER PRIMARY KEY,
    id ANY NOT NULL,
    state BLOB NOT NULL,
    unsettled_points INTEGER NOT NULL
) STRICT;

CREATE INDEX member_unsettled ON member (unsettled_points) WHERE unsettled_points > 0;

INSERT INTO member SELECT no, id, state, unsettled_points FROM member_before ORDER BY no;

DROP TABLE member_before;
