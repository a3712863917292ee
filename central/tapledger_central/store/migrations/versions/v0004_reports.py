"""What nodes tell about themselves, and their receipts for members they erased."""

from __future__ import annotations

from alembic import op

from tapledger_central.store import schema

revision = "0004"
down_revision = "0003"

TABLES = {
    "report": """
        node TEXT NOT NULL,
        kind TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        received_ms INTEGER NOT NULL,
        body BYTES NOT NULL,
        PRIMARY KEY (tenant, node, kind, at_ms)""",
    "erasure": """
        member TEXT NOT NULL,
        node TEXT NOT NULL,
        told_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, member, node)""",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        schema.create(op, table, columns)
