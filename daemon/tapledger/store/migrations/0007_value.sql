CREATE INDEX member_unsettled ON member (unsettled_points) WHERE unsettled_points > 0;

CREATE TABLE due (
    member TEXT PRIMARY KEY,
    at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX due_by_at ON due (at_ms, member) WHERE at_ms IS NOT NULL;

INSERT INTO due SELECT DISTINCT member, 0 FROM event WHERE kind = 'join' AND member IS NOT NULL;

CREATE TABLE partner_exchange (
    key TEXT PRIMARY KEY,
    partner TEXT NOT NULL,
    member TEXT NOT NULL,
    theirs TEXT NOT NULL,
    taken INTEGER NOT NULL,
    given INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX partner_exchange_open ON partner_exchange (partner, key) WHERE state = 'open';

CREATE TABLE partner_account (
    partner TEXT PRIMARY KEY,
    points INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
