"""After a restore: every shop reads the feed from its beginning again."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from tapledger.wire.messages import EVERYWHERE
from tapledger_central.store import news
from tapledger_central.store.transaction import Transaction

BEGINNING = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
VERSIONS_A_SECOND = 1 << 20
"""More than any scope ever counts: a number by the clock is later than all that was told before."""

_LIFT = sa.text(
    "UPDATE scope SET purged = CASE WHEN version < :floor THEN :floor ELSE version + 1 END,"
    " version = CASE WHEN version < :floor THEN :floor ELSE version + 1 END"
    " WHERE tenant = :tenant AND scope = :scope"
)


def begin_feed_again(tx: Transaction, now: dt.datetime) -> int:
    """Go on with versions that no shop has seen, and refuse every cursor from before: FEED_GONE.

    A restored feed counts on from an old number, and once it has passed a shop's cursor, nothing would tell
    that shop that it missed what lies below. Return how many scopes there are.
    """
    floor = (now - BEGINNING) // dt.timedelta(seconds=1) * VERSIONS_A_SECOND
    scopes = {EVERYWHERE, *news.versions(tx)}
    for scope in sorted(scopes):
        news.lock(tx, scope)
        tx.execute(_LIFT, {"scope": scope, "floor": floor})
    return len(scopes)


def look(connection: sa.Connection) -> tuple[str, str, int, int]:
    """Return what is wrong with a SQLite file, its tenant, its nodes and its events."""
    why = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    nodes, events = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM node), (SELECT count(*) FROM inbox)"
    ).one()
    tenant = connection.exec_driver_sql("SELECT tenant FROM head LIMIT 1").scalar()
    return ("" if why == "ok" else why), str(tenant or ""), int(nodes), int(events)
