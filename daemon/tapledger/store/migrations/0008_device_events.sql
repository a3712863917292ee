CREATE TABLE device_event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    mono_s REAL NOT NULL,
    device TEXT NOT NULL,
    class TEXT NOT NULL,
    type TEXT NOT NULL,
    claim TEXT NOT NULL,
    trace TEXT NOT NULL,
    shown TEXT NOT NULL,
    box BLOB,
    open INTEGER NOT NULL
) STRICT;

CREATE INDEX device_event_open ON device_event (seq) WHERE open = 1;
