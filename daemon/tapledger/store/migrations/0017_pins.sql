-- What proves a member at a kiosk beside their card, and the cards of staff. Only keyed hashes: no PIN, no number.
CREATE TABLE member_pin (
    member TEXT PRIMARY KEY,
    verifier TEXT NOT NULL,
    wrong INTEGER NOT NULL DEFAULT 0,
    wrong_away INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_card (
    credential TEXT PRIMARY KEY,
    staff TEXT NOT NULL REFERENCES staff (id)
) STRICT, WITHOUT ROWID;
