"""What is looked up by key is read by key, whatever PostgreSQL believes of a table that has just grown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tapledger.wire.messages import EVERYWHERE
from tapledger_central.store import Transaction, inbox, members, news, open_store
from tapledger_central.store.transaction import ByKeys
from tests.postgres import Database

ROWS = 4000
FILL = (
    "INSERT INTO claim SELECT :tenant, 'c-' || n, 'm-' || n FROM generate_series(1, :rows) n",
    "INSERT INTO profile SELECT :tenant, 'm-' || n, 'd', 0, '', 0, 0, 'x' FROM generate_series(1, :rows) n",
    "INSERT INTO member SELECT :tenant, 'm-' || n, 0, '', 0, 0, 'x', 'x', 'x'"
    " FROM generate_series(1, :rows) n",
    "INSERT INTO head SELECT :tenant, 'n-' || n, 1, 40, 'x', 0, 40 FROM generate_series(1, :rows / 40) n",
    "INSERT INTO inbox SELECT :tenant, 'n-' || (n % 100 + 1), 1, n / 100 + 1, 'x', n, 'm-' || n, '', 0, 'x'"
    " FROM generate_series(1, :rows) n",
    "INSERT INTO feed SELECT :tenant, 'all', 'member', 'm-' || n, n, NULL, 0, 0, 0, 'x', NULL, NULL, NULL"
    " FROM generate_series(1, :rows) n",
    "INSERT INTO feed VALUES (:tenant, 'all', 'program', 'current', :rows + 1, NULL, 0, 0, 0, 'x')",
)
ASKED: dict[str, tuple[ByKeys | sa.TextClause, dict[str, Any]]] = {
    "members": (members._LOAD_ALL, {"keys": [f"m-{n}" for n in range(1, 61)]}),
    "profiles": (members._PROFILES, {"keys": [f"m-{n}" for n in range(1, 61)]}),
    "claims": (members._OWNERS, {"keys": [f"c-{n}" for n in range(1, 61)]}),
    "events": (
        inbox._OF_MEMBERS,
        {"keys": [f"m-{n}" for n in range(1, 61)], "node": "n-1", "epoch": 1, "upto": 40},
    ),
    "programme": (news._TOLD, {"scope": EVERYWHERE, "kind": "program", "key": "current"}),
    "rules": (news._RULES, {"scope": EVERYWHERE}),
}
PAGE = {"scope": EVERYWHERE, "node": "n-1", "cursor": 100, "limit": 60}
GUESSED = " AND kind = coalesce(CAST(NULL AS text), kind)"


@pytest.mark.parametrize("name", ASKED)
async def test_a_look_up_reads_what_it_asks_for(
    tmp_path: Path, postgres_central: Database, name: str
) -> None:
    statement, values = ASKED[name]
    asked = statement.postgresql if isinstance(statement, ByKeys) else statement
    plan = await _explained(tmp_path, postgres_central, asked, values)
    assert plan["Actual Rows"] == (1 if name in ("programme", "rules") else 60)
    assert _passed_over(plan) == 0
    assert not [one for one in _nodes(plan) if one["Node Type"] == "Seq Scan"]


async def _read_for_a_page(folder: Path, database: Database, asked: sa.TextClause) -> int:
    """Return how many rows of the feed are read for a page of 60, once their statistics are known."""
    plan = await _explained(folder, database, asked, PAGE, analyze="feed")
    assert plan["Actual Rows"] == 60
    return max(int(one["Actual Rows"] * one["Actual Loops"]) for one in _nodes(plan))


async def test_a_page_of_the_feed_reads_no_more_than_it_tells(
    tmp_path: Path, postgres_central: Database
) -> None:
    assert await _read_for_a_page(tmp_path, postgres_central, news._PAGE) == 60


async def test_a_kind_that_the_planner_must_guess_reads_the_whole_feed(
    tmp_path: Path, postgres_central: Database
) -> None:
    """The broken twin: one text for all kinds and for one."""
    text = news._PAGE.text.replace(" ORDER BY", f"{GUESSED} ORDER BY")
    assert await _read_for_a_page(tmp_path, postgres_central, sa.text(text)) > ROWS / 2


async def test_what_is_left_to_the_planner_reads_everything(
    tmp_path: Path, postgres_central: Database
) -> None:
    """The broken twin: the same question, put in the plain way."""
    names = ", ".join(f"'m-{n}'" for n in range(1, 61))
    plain = sa.text(f"SELECT state FROM member WHERE tenant = :tenant AND member IN ({names})")
    plan = await _explained(tmp_path, postgres_central, plain, {})
    assert _passed_over(plan) > ROWS / 2


async def _explained(
    folder: Path, database: Database, asked: sa.TextClause, values: dict[str, Any], analyze: str = ""
) -> dict[str, Any]:
    """Return how a statement was carried out in tables that have just been filled, analysed or not."""
    explain = sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.text}")

    def fill(tx: Transaction) -> None:
        for statement in FILL:
            tx.execute(sa.text(statement), {"rows": ROWS})

    def explained(tx: Transaction) -> list[dict[str, Any]]:
        if not analyze:
            fill(tx)  # nobody else sees it, so autovacuum does not come by in between
        told: list[dict[str, Any]] = tx.execute(explain, values).scalar_one()
        return told

    store = await open_store(folder, "tenant", database.app)
    try:
        if analyze:
            await store.transact(fill)
            with psycopg.connect(database.owner, autocommit=True) as owner:
                owner.execute(f"ANALYZE {analyze}")
        (told,) = await store.transact(explained)
    finally:
        await store.close()
    plan: dict[str, Any] = told["Plan"]
    return plan


def _passed_over(plan: dict[str, Any]) -> int:
    return sum(int(one.get("Rows Removed by Filter", 0) * one["Actual Loops"]) for one in _nodes(plan))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from _nodes(one)
