ALTER TABLE profile ADD COLUMN fed INTEGER;

CREATE INDEX profile_fed ON profile (fed) WHERE fed IS NOT NULL;
