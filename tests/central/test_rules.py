"""What head office tells every shop: a programme and articles that were checked, or nothing at all."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tapledger.clock import SystemClock
from tapledger.errors import Invalid
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import programs, received
from tapledger.membership.shop import Shop
from tapledger.store.store import Store
from tapledger.sync.client import CentralClient
from tapledger.sync.puller import pull_once
from tapledger_central import rules
from tapledger_central.feed import MAX_PAGE_BYTES
from tests.central.commands import run_beside
from tests.central.test_process import Office, enrolled
from tests.central.test_process import office as office
from tests.central.world import PROGRAM, HandClock

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEXT = """\
version = "{version}"
currency = "CNY"
timezone = "Asia/Shanghai"
holiday_files = ["cn.toml"]
{more}
[[tiers]]
id = "base"
name = {{ en = "Base" }}
earn_points = {points}
"""
CALENDAR = 'id = "cn"\ndays = [{ date = 2027-01-01, name = { en = "New Year" } }]\n'
ARTICLES = "sku,name,price,tax,category,flags\ntea,Tea,12.50,13,drinks,\n"


class ToldShop:
    """A shop with a real store and a line to the central process."""

    def __init__(self, office: Office, shop: Shop, client: CentralClient, clock: HandClock) -> None:
        self.office = office
        self.shop = shop
        self.client = client
        self.clock = clock
        self.folder = office.config.parent

    async def hear(self) -> bool:
        """Pull and use what came; return whether something is different now."""
        await pull_once(self.shop.store, self.client)
        return await received.take(self.shop)

    async def program(self, version: str, points: int = 1, more: str = "") -> tuple[int, dict[str, Any]]:
        path = self.folder / "program.toml"
        path.write_text(TEXT.format(version=version, points=points, more=more))
        (self.folder / "cn.toml").write_text(CALENDAR)
        return await run_beside(self.office.config, "program", str(path))

    async def catalogue(self, text: str) -> tuple[int, dict[str, Any]]:
        path = self.folder / "catalogue.csv"
        path.write_text(text)
        return await run_beside(self.office.config, "catalogue", str(path))


@pytest.fixture
async def told(office: Office, tmp_path: Path) -> AsyncIterator[ToldShop]:
    async with AsyncExitStack() as stack:
        client, keyring = await enrolled(office, stack)
        (tmp_path / "shop").mkdir()
        store = await Store.open(tmp_path / "shop", keyring)
        stack.push_async_callback(store.close)
        clock = HandClock(SystemClock().now())
        shop = Shop(store, PROGRAM, Catalogue({}), clock, os.urandom, "North", "en")
        yield ToldShop(office, shop, client, clock)


async def test_a_programme_counts_in_the_shop_from_its_active_from(told: ToldShop) -> None:
    assert (await told.program("1"))[0] == 0
    assert await told.hear()
    soon = (told.clock.now() + dt.timedelta(hours=1)).astimezone(SHANGHAI)
    local = f"{soon:%Y-%m-%dT%H:%M:%S}"
    code, said = await told.program("2", points=3, more=f"active_from = {local}")
    assert (code, said) == (0, {"version": "2", "active_from": local})
    assert await told.hear()
    assert (told.shop.program.version, told.shop.coming is not None) == ("1", True)
    told.clock.move(3601)
    assert programs.take_effect(told.shop)
    assert (told.shop.program.version, told.shop.program.tiers[0].earn_points) == ("2", 3)
    assert set(told.shop.program.holidays["cn"].values()) == {dt.date(2027, 1, 1)}, "calendars come along"


async def test_what_is_wrong_is_refused_at_its_line_and_nothing_is_told(told: ToldShop) -> None:
    code, said = await told.catalogue(ARTICLES)
    assert (code, said["code"]) == (2, "PROGRAM_NOT_TOLD"), "prices are in the programme's currency"
    assert (await told.program("2"))[0] == 0
    assert await told.catalogue(ARTICLES) == (0, {"articles": 1})
    assert await told.hear()
    assert told.shop.catalogue.find("tea").unit_minor == 1250
    cursor = await told.shop.store.cursor()
    code, said = await told.program("3", points=-1)
    assert (code, said["code"]) == (2, "PROGRAM_INVALID")
    assert f"{told.folder / 'program.toml'}:9: tiers[0].earn_points: -1 is below 0" in said["sentence"]
    code, said = await told.program("2", points=5)
    assert (code, said["code"]) == (2, "PROGRAM_CHANGED"), "it counts already, so no shop would take it"
    code, said = await told.catalogue(ARTICLES + "tea,Tea,12.50,13,drinks,\n")
    assert (code, said["code"], "3" in said["sentence"]) == (2, "CATALOGUE_INVALID", True)
    code, said = await run_beside(told.office.config, "program", str(told.folder / "none.toml"))
    assert (code, said["code"]) == (2, "SETTINGS_UNREADABLE")
    page = await told.client.feed(cursor)
    assert {row.kind for row in page.rows} <= {"exposure"}, "not a row more but what central tells by itself"
    assert not await told.hear()
    assert (await told.program("3", points=5))[0] == 0
    assert await told.hear(), "and the next one that is right is told"


def test_what_no_page_of_the_feed_could_hold_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    (tmp_path / "cn.toml").write_text(CALENDAR)
    path.write_text(TEXT.format(version="2", points=1, more="#" * MAX_PAGE_BYTES))
    with pytest.raises(Invalid, match="MESSAGE_TOO_LARGE"):
        rules.read_program(path)
