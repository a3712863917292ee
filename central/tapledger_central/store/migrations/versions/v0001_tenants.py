"""Every table by tenant, then by node, member or scope. A file of the first release is taken over as it is.

These rules let the schema grow onto a sharded engine (sync.md section 7): the distribution column is in every
key, nothing numbers itself, there are no triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from tapledger_central.store import schema

revision = "0001"
down_revision = None

TABLES = {
    "enrolment_code": """
        hash BYTES NOT NULL,
        shop TEXT NOT NULL,
        expires_ms INTEGER NOT NULL,
        tries_left INTEGER NOT NULL,
        used_by TEXT,
        PRIMARY KEY (tenant, hash)""",
    "shop": """
        shop TEXT NOT NULL,
        scope TEXT NOT NULL,
        PRIMARY KEY (tenant, shop)""",
    "node": """
        node TEXT NOT NULL,
        shop TEXT NOT NULL,
        name TEXT NOT NULL,
        public_key BYTES NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('active', 'quarantined', 'revoked')),
        enrolled_ms INTEGER NOT NULL,
        last_seen_ms INTEGER NOT NULL,
        purge_seen INTEGER NOT NULL,
        PRIMARY KEY (tenant, node)""",
    "boot": """
        node TEXT NOT NULL,
        boot TEXT NOT NULL,
        since_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, boot)""",
    "nonce": """
        node TEXT NOT NULL,
        nonce TEXT NOT NULL,
        expires_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, nonce)""",
    "head": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        hash BYTES NOT NULL,
        hlc INTEGER NOT NULL,
        applied INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, epoch)""",
    "inbox": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        hash BYTES NOT NULL,
        hlc INTEGER NOT NULL,
        member TEXT,
        verdict TEXT NOT NULL,
        received_ms INTEGER NOT NULL,
        raw BYTES NOT NULL,
        PRIMARY KEY (tenant, node, epoch, seq)""",
    "profile_inbox": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        digest TEXT NOT NULL,
        member TEXT NOT NULL,
        sealed BYTES NOT NULL,
        PRIMARY KEY (tenant, node, epoch, digest, member)""",
    "quarantine": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        first_seq INTEGER NOT NULL,
        head BYTES NOT NULL,
        received_ms INTEGER NOT NULL,
        batch BYTES NOT NULL,
        PRIMARY KEY (tenant, node, epoch, first_seq, head)""",
    "difference": """
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        code TEXT NOT NULL,
        detail TEXT NOT NULL,
        member TEXT,
        other_member TEXT,
        found_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, node, epoch, seq, code, detail)""",
    "member": """
        member TEXT NOT NULL,
        hlc INTEGER NOT NULL,
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        settled BYTES NOT NULL,
        scopes BYTES NOT NULL,
        state BYTES NOT NULL,
        PRIMARY KEY (tenant, member)""",
    "profile": """
        member TEXT NOT NULL,
        digest TEXT NOT NULL,
        hlc INTEGER NOT NULL,
        node TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        sealed BYTES,
        PRIMARY KEY (tenant, member)""",
    "claim": """
        credential TEXT NOT NULL,
        member TEXT NOT NULL,
        PRIMARY KEY (tenant, credential)""",
    "scope": """
        scope TEXT NOT NULL,
        version INTEGER NOT NULL,
        purged INTEGER NOT NULL,
        hlc INTEGER NOT NULL,
        PRIMARY KEY (tenant, scope)""",
    "feed": """
        scope TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        only_for TEXT,
        gone INTEGER NOT NULL,
        erased INTEGER NOT NULL,
        changed_ms INTEGER NOT NULL,
        body BYTES NOT NULL,
        settled BYTES,
        digest TEXT,
        sealed BYTES,
        PRIMARY KEY (tenant, scope, kind, key),
        UNIQUE (tenant, scope, version)""",
}
INDEXES = (
    "CREATE INDEX nonce_by_expiry ON nonce (tenant, node, expires_ms)",
    "CREATE INDEX head_behind ON head (tenant, node, epoch) WHERE applied < seq",
    "CREATE INDEX inbox_by_member ON inbox (tenant, member, hlc, node, epoch, seq) WHERE member IS NOT NULL",
    "CREATE INDEX claim_by_member ON claim (tenant, member)",
    "CREATE INDEX feed_gone ON feed (tenant, scope, changed_ms) WHERE gone = 1",
    "CREATE INDEX feed_erased ON feed (tenant, scope, version) WHERE erased = 1",
)

TAKE_OVER = (
    "INSERT INTO enrolment_code SELECT :tenant, hash, shop, expires_ms, tries_left, used_by"
    " FROM old_enrolment_code",
    "INSERT INTO node SELECT :tenant, node, shop, name, public_key, status, enrolled_ms, 0, 0 FROM old_node",
    "INSERT INTO nonce SELECT :tenant, node, nonce, expires_ms FROM old_nonce",
    "INSERT INTO head SELECT :tenant, node, epoch, seq, hash, hlc, seq FROM old_head",
    "INSERT INTO inbox SELECT :tenant, node, epoch, seq, hash, hlc, member, verdict, received_ms, raw"
    " FROM old_inbox",
    "INSERT INTO quarantine SELECT :tenant, node, epoch, first_seq, head, received_ms, batch"
    " FROM old_quarantine",
    "INSERT INTO difference SELECT :tenant, node, epoch, seq, code, detail, member, other_member, found_ms"
    " FROM old_difference",
    "INSERT INTO member SELECT :tenant, member, hlc, node, epoch, seq, settled, x'91a3616c6c', state"
    " FROM old_member",
    "INSERT INTO profile SELECT :tenant, member, digest, hlc, node, epoch, seq, sealed FROM old_profile",
    "INSERT INTO claim SELECT :tenant, credential, member FROM old_claim",
    "INSERT INTO scope SELECT :tenant, scope, version, 0, (SELECT coalesce(max(hlc), 0) FROM old_head)"
    " FROM old_scope",
    "INSERT INTO feed SELECT :tenant, m.scope, 'member', m.member, m.version, NULL, 0, 0, 0, m.state,"
    " m.settled, p.digest, p.sealed FROM old_member m"
    " LEFT JOIN old_profile p ON p.member = m.member AND p.sealed IS NOT NULL",
)
"""``x'91a3616c6c'`` is msgpack of ["all"]. Who was erased before is told so in their state."""
OLD_INDEXES = ("nonce_by_expiry", "inbox_by_member", "member_by_version")


def upgrade() -> None:
    connection = op.get_bind()
    is_postgresql = connection.dialect.name == "postgresql"
    old = [] if is_postgresql else _set_aside(connection)
    for table, columns in TABLES.items():
        schema.create(op, table, columns)
    if old:
        tenant = context.config.attributes["tenant"]
        for statement in TAKE_OVER:
            connection.execute(sa.text(statement), {"tenant": tenant})
        for table in old:
            op.execute(f"DROP TABLE old_{table}")
    for index in INDEXES:
        op.execute(index)
    if not is_postgresql:
        op.execute(f"PRAGMA user_version = {schema.SQLITE_VERSION}")


def _set_aside(connection: sa.Connection) -> list[str]:
    """Rename the tables of a file of the first release; return their old names."""
    old = [table for table in schema.tables(connection) if table != "alembic_version"]
    if old:
        for index in OLD_INDEXES:
            op.execute(f"DROP INDEX {index}")
        for table in old:
            op.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    return old
