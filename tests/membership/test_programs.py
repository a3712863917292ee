"""Versions of the programme: kept once used, never changed, each from its own instant on (X5)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tapledger.errors import Conflict, Invalid
from tapledger.membership import programs
from tapledger.membership.programs import Source, choose, history, read, revive, take_effect, wait_s
from tapledger.store import programs as kept_programs
from tests.store.shops import START, Bench

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = dt.timedelta(hours=1)
TEXT = """\
version = "{version}"
currency = "CNY"
timezone = "Asia/Shanghai"
{more}
[[tiers]]
id = "base"
name = {{ en = "Base" }}
earn_points = {points}
"""


def written(folder: Path, version: str = "1", points: int = 1, more: str = "") -> Source:
    path = folder / "program.toml"
    path.write_text(TEXT.format(version=version, points=points, more=more), encoding="utf-8")
    return programs.load(path)


def from_local(at: dt.datetime) -> str:
    return f"active_from = {at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M:%S}"


# ---- files -----------------------------------------------------------------------------------------------
def test_every_mistake_is_told_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as error:
        written(tmp_path, points=-1, more="colour = 1")
    assert error.value.code == "PROGRAM_INVALID"
    path = tmp_path / "program.toml"
    assert str(error.value.data["why"]).splitlines() == [
        f"{path}:4: colour: " + str(error.value.data["why"]).splitlines()[0].partition("colour: ")[2],
        f"{path}:8: tiers[0].earn_points: -1 is below 0",
    ]


def test_what_is_no_toml_is_told_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_text('version = "1"\ncurrency =\n', encoding="utf-8")
    (mistake,) = read(path).mistakes
    assert (mistake.line, mistake.finding.why.code) == (2, "PROGRAM_SYNTAX")


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    with pytest.raises(Invalid) as missing:
        programs.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid) as binary:
        programs.load(path)
    assert (missing.value.code, binary.value.code) == ("CONFIG_MISSING", "PROGRAM_INVALID")


CALENDAR = 'id = "cn"\ndays = [{ date = 2027-01-01, name = { en = "New Year" } }]\n'
WINDOW = '[[windows]]\nid = "w"\nholidays = "cn"\n'


def test_calendars_are_read_from_the_files_beside_the_programme(tmp_path: Path) -> None:
    (tmp_path / "cn.toml").write_text(CALENDAR, encoding="utf-8")
    source = written(tmp_path, more='holiday_files = ["cn.toml"]\n' + WINDOW)
    assert source.program is not None
    assert set(source.program.holidays["cn"].values()) == {dt.date(2027, 1, 1)}
    assert revive(source.kept()) == source.program, "what is kept has the calendars in it"


@pytest.mark.parametrize("content", [None, "days = 5", CALENDAR.replace("2027-01-01", "tomorrow"), "id ="])
def test_a_calendar_that_cannot_be_read_is_one_mistake(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "cn.toml").write_text(content, encoding="utf-8")
    with pytest.raises(Invalid) as error:
        written(tmp_path, more='holiday_files = ["cn.toml"]\n' + WINDOW)
    (line,) = str(error.value.data["why"]).splitlines()
    assert line.startswith(f"{tmp_path / 'program.toml'}:4: holiday_files[0]: The holiday calendar cn.toml")


# ---- versions --------------------------------------------------------------------------------------------
async def test_the_same_version_with_another_content_is_refused(bench: Bench, tmp_path: Path) -> None:
    store = bench.shop.store
    await choose(store, written(tmp_path), START)
    before = bench.tables()
    with pytest.raises(Conflict) as error:
        await choose(store, written(tmp_path, points=2), START + HOUR)
    assert (error.value.code, error.value.data) == ("PROGRAM_CHANGED", {"version": "1"})
    assert bench.tables() == before
    program, coming = await choose(store, written(tmp_path, version="2", points=2), START + HOUR)
    assert (program.version, coming) == ("2", None)


async def test_comments_and_order_may_change(bench: Bench, tmp_path: Path) -> None:
    store = bench.shop.store
    await choose(store, written(tmp_path), START)
    program, _ = await choose(store, written(tmp_path, more="# a remark"), START + HOUR)
    assert program.version == "1"
    assert len(await store.transact(history)) == 1


async def test_a_new_version_counts_from_its_instant_on(bench: Bench, tmp_path: Path) -> None:
    shop = bench.shop
    await choose(shop.store, written(tmp_path, points=3), START)
    starts = START + 2 * HOUR
    newer = written(tmp_path, version="2", points=5, more=from_local(starts))
    shop.program, shop.coming = await choose(shop.store, newer, START + HOUR)
    assert (shop.program.version, shop.program.tiers[0].earn_points) == ("1", 3)
    assert shop.coming is not None and shop.coming.since == starts
    bench.clock.move(2 * 3600 - 1)
    assert wait_s(shop) == 1
    assert not take_effect(shop)
    bench.clock.move(1)
    assert take_effect(shop)
    assert shop.program.version == "2"
    assert not take_effect(shop)
    again, coming = await choose(shop.store, newer, bench.clock.now())
    assert (again.version, coming) == ("2", None)


async def test_what_has_not_counted_yet_may_still_change(bench: Bench, tmp_path: Path) -> None:
    store, starts = bench.shop.store, START + 2 * HOUR
    await choose(store, written(tmp_path), START)
    await choose(store, written(tmp_path, version="2", points=5, more=from_local(starts)), START)
    later = written(tmp_path, version="2", points=6, more=from_local(starts + HOUR))
    program, coming = await choose(store, later, START + HOUR)
    assert program.version == "1"
    assert coming is not None
    assert (coming.since, coming.program.tiers[0].earn_points) == (starts + HOUR, 6)
    back, none = await choose(store, written(tmp_path), START + HOUR)
    assert (back.version, none) == ("1", None), "the old file again: nothing is to come"


async def test_the_first_version_counts_at_once_there_is_none_before(bench: Bench, tmp_path: Path) -> None:
    newer = written(tmp_path, more=from_local(START + HOUR))
    program, coming = await choose(bench.shop.store, newer, START)
    assert (program.version, coming) == ("1", None)


async def test_going_back_to_an_older_version_is_written_down(bench: Bench, tmp_path: Path) -> None:
    store = bench.shop.store
    for hours, version in enumerate(("1", "2", "1")):
        await choose(store, written(tmp_path, version=version, points=int(version)), START + hours * HOUR)
    lines = await store.transact(history)
    assert [(one.version, one.since, one.until) for one in lines] == [
        ("1", START, START + HOUR),
        ("2", START + HOUR, START + 2 * HOUR),
        ("1", START + 2 * HOUR, None),
    ]
    assert await store.transact(lambda tx: kept_programs.find(tx, "3")) is None
