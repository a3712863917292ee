ALTER TABLE member RENAME TO member_before;

ALTER TABLE credential RENAME TO credential_before;

DROP INDEX member_unsettled;

CREATE TABLE member (
    no INTEGER PRIMARY KEY,
    id ANY NOT NULL UNIQUE,
    state BLOB NOT NULL,
    unsettled_points INTEGER NOT NULL
) STRICT;

CREATE INDEX member_unsettled ON member (unsettled_points) WHERE unsettled_points > 0;

CREATE TABLE credential (
    idx ANY PRIMARY KEY,
    member INTEGER NOT NULL,
    min_level INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO member (id, state, unsettled_points)
SELECT iif(id GLOB '????????-????-????-????-????????????' AND id = lower(id), coalesce(unhex(id, '-'), id), id),
    state, unsettled_points
FROM member_before ORDER BY id;

INSERT INTO credential
SELECT iif(length(c.idx) = 32 AND c.idx = lower(c.idx), coalesce(unhex(c.idx), c.idx), c.idx), m.no, c.min_level
FROM credential_before c JOIN member m ON m.id = iif(
    c.member GLOB '????????-????-????-????-????????????' AND c.member = lower(c.member),
    coalesce(unhex(c.member, '-'), c.member), c.member
);

DROP TABLE credential_before;

DROP TABLE member_before;
