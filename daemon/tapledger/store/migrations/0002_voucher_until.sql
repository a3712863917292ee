ALTER TABLE voucher ADD COLUMN reward TEXT NOT NULL DEFAULT '';

ALTER TABLE voucher ADD COLUMN until_ms INTEGER;

CREATE INDEX voucher_by_hold ON voucher (hold);

CREATE INDEX voucher_by_until ON voucher (until_ms) WHERE until_ms IS NOT NULL;
