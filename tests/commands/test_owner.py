"""``tapledger exposure`` and ``tapledger liability`` as an owner types them, on a real shop."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tapledger import settings
from tapledger.app import open_shop
from tapledger.cli import main
from tapledger.clock import SystemClock
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Credited, Lot
from tapledger.loyalty.ledger import EventBody
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.shop import change_member, operation
from tests.commands.test_init import init


def run(*arguments: str) -> Any:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.output


async def shop_with_points(folder: Path) -> str:
    """Found a shop whose one member has 1000 points, and stored value."""
    founded = json.loads(init(folder).stdout)
    config = Path(founded["config"])
    shop = await open_shop(settings.read(config), SystemClock(), os.urandom)
    try:
        joined = await register_member(shop, Joining("join", "Li", "", (), "s-1"))
        member, now = joined.event.body.member, SystemClock().now()
        assert member is not None
        lots = (
            Lot("p", 1000, 1000, now, None),
            Lot("v", 50_000, 50_000, now, None, PRINCIPAL),
            Lot("b", 10_000, 10_000, now, None, BONUS),
        )
        body = EventBody(kind="tag", at=now, program="1", member=member, effects=tuple(map(Credited, lots)))
        await change_member(
            shop, operation("lots"), member, lambda tx, known, at: decision(known.member, body)
        )
    finally:
        await shop.store.close()
    return str(config)


async def test_what_the_shop_owes(tmp_path: Path) -> None:
    config = await shop_with_points(tmp_path / "shop")
    answer = json.loads(await _in_thread("liability", "--config", config, "--json"))
    never = {"month": "", "points": 1000, "points_minor": 0, "principal_minor": 50_000, "bonus_minor": 10_000}
    assert answer == {"currency": "CNY", "months": [never], "sum": {**never, "month": "sum"}}
    table = await _in_thread("liability", "--config", config)
    assert ["never", "1000", "¥0.00", "¥500.00", "¥100.00"] in [line.split() for line in table.splitlines()]


async def test_the_worst_case(tmp_path: Path) -> None:
    config = await shop_with_points(tmp_path / "shop")
    alone = json.loads(await _in_thread("exposure", "--config", config, "--json"))
    assert (alone["shops_offline"], alone["in_all"], alone["last_feed_at"]) == (0, 0, None)
    four = json.loads(await _in_thread("exposure", "--config", config, "--offline", "4", "--json"))
    assert (four["per_member"], four["in_all"]) == (8000, 80_000)
    said = await _in_thread("exposure", "--config", config, "--offline", "4")
    assert said.startswith("Worst case now: 80000 points, 4 shops offline; one member takes at most 8000.")


async def test_a_version_that_is_to_come_does_not_count_yet(tmp_path: Path) -> None:
    config = await shop_with_points(tmp_path / "shop")
    file = tmp_path / "shop" / "program.toml"
    text = file.read_text(encoding="utf-8").replace('version = "1"', 'version = "2"')
    text = text.replace("unsettled_points = 2000", "unsettled_points = 1").replace(
        'currency = "CNY"', 'currency = "CNY"\nactive_from = 2999-01-01T00:00:00\npoint_value_micro = 1000000'
    )
    file.write_text(text, encoding="utf-8")
    risk = json.loads(await _in_thread("exposure", "--config", config, "--offline", "4", "--json"))
    assert risk["per_member"] == 8000
    owed = json.loads(await _in_thread("liability", "--config", config, "--json"))
    assert owed["sum"]["points_minor"] == 0


async def _in_thread(*arguments: str) -> str:
    """Run a command beside this test's event loop: it has one of its own."""
    return str(await asyncio.to_thread(run, *arguments))
