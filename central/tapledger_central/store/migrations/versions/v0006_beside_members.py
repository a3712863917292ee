"""The few rows of the feed beside members are found without going through a million members."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

INDEX = "CREATE INDEX feed_beside_members ON feed (tenant, scope, kind, key) WHERE kind <> 'member'"


def upgrade() -> None:
    op.execute(INDEX)
