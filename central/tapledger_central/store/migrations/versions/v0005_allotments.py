"""What each computer may give out of its shop's limited stock, and what it has given out."""

from __future__ import annotations

from alembic import op

from tapledger_central.store import schema

revision = "0005"
down_revision = "0004"

TABLES = {
    "allotment": """
        node TEXT NOT NULL,
        shop TEXT NOT NULL,
        key TEXT NOT NULL,
        granted INTEGER NOT NULL,
        returned INTEGER NOT NULL,
        asked INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, shop, key)""",
    "stock_used": """
        node TEXT NOT NULL,
        key TEXT NOT NULL,
        used INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, key)""",
    "stock_hold": """
        node TEXT NOT NULL,
        hold TEXT NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (tenant, node, hold)""",
    "stock_seen": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, epoch)""",
}
INDEX = "CREATE INDEX allotment_by_shop ON allotment (tenant, shop)"


def upgrade() -> None:
    for table, columns in TABLES.items():
        schema.create(op, table, columns)
    op.execute(INDEX)
