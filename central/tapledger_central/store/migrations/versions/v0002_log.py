"""The public log: runs of events in their places, tiles of hashes, checkpoints (docs/decisions/0017)."""

from __future__ import annotations

from alembic import op

from tapledger_central.store import schema

revision = "0002"
down_revision = "0001"

TABLES = {
    "log_head": """
        frontier BYTES NOT NULL,
        PRIMARY KEY (tenant)""",
    "log_chain": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, epoch)""",
    "log_run": """
        position INTEGER NOT NULL,
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        first_seq INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        PRIMARY KEY (tenant, position),
        UNIQUE (tenant, node, epoch, first_seq)""",
    "log_tile": """
        height INTEGER NOT NULL,
        number INTEGER NOT NULL,
        hashes BYTES NOT NULL,
        PRIMARY KEY (tenant, height, number)""",
    "log_checkpoint": """
        size INTEGER NOT NULL,
        day INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (tenant, size)""",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        schema.create(op, table, columns)
