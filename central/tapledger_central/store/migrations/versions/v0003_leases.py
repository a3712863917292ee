"""Leases that central has granted: so that one id is one lease for ever, and what nodes hold is known."""

from __future__ import annotations

from alembic import op

from tapledger_central.store import schema

revision = "0003"
down_revision = "0002"

TABLES = {
    "lease": """
        lease TEXT NOT NULL,
        member TEXT NOT NULL,
        node TEXT NOT NULL,
        pool TEXT NOT NULL,
        amount INTEGER NOT NULL,
        granted_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, lease)""",
    "lease_seen": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, epoch)""",
}
INDEX = "CREATE INDEX lease_by_node ON lease (tenant, node, granted_ms)"


def upgrade() -> None:
    for table, columns in TABLES.items():
        schema.create(op, table, columns)
    op.execute(INDEX)
