ALTER TABLE print_job ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;

ALTER TABLE print_job ADD COLUMN word TEXT NOT NULL DEFAULT '';

ALTER TABLE print_job ADD COLUMN drawer TEXT NOT NULL DEFAULT '';

CREATE INDEX print_job_drawer ON print_job (drawer, number) WHERE drawer IN ('due', 'kicking');

CREATE TABLE paper_roll (
    printer TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
