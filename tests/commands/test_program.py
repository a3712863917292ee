"""``tapledger program`` and ``tapledger explain`` as an owner types them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tapledger import settings
from tapledger.app import open_shop
from tapledger.cli import main
from tapledger.clock import SystemClock
from tapledger.errors import Conflict
from tapledger.loyalty.facts import Tender
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.sale import SaleCommand, record_sale
from tests.commands.test_init import init
from tests.loyalty.program.faults import uncommented
from tests.source_tree import ROOT

SHIPPED = [ROOT / "config" / "program.toml", *sorted((ROOT / "config" / "examples").glob("*/program.toml"))]
ARTICLE = "6901234567908,Towel,12.00,13.00,home,\n"


def run(*arguments: object, fails_with: int = 0) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == fails_with, done.output
    return done.output


# ---- lint ------------------------------------------------------------------------------------------------
def test_what_we_ship_has_no_mistake() -> None:
    assert len(SHIPPED) == 5
    assert run("program", "lint", *SHIPPED) == "5 checked, no mistakes\n"
    assert json.loads(run("program", "lint", "--json", *SHIPPED)) == {"mistakes": []}


@pytest.mark.parametrize("path", SHIPPED[1:], ids=[path.parent.name for path in SHIPPED[1:]])
def test_an_example_has_its_articles_and_the_lint_looks_at_them(path: Path, tmp_path: Path) -> None:
    lines = (path.parent / "catalogue.csv").read_text(encoding="utf-8").splitlines()
    assert 20 <= len(lines) - 1 <= 40
    empty = tmp_path / "catalogue.csv"
    empty.write_text(lines[0] + "\n", encoding="utf-8")
    assert "catalogue" in run("program", "lint", path, "--catalogue", empty, fails_with=1)


def test_every_mistake_is_printed_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    text = uncommented().replace('holiday_files = ["holidays/cn.toml"]\n', "")
    path.write_text(text.replace("cost_points = 80", "cost_points = -80"), encoding="utf-8")
    lines = run("program", "lint", path, fails_with=1).splitlines()
    place = text.splitlines().index("cost_points = 80") + 1
    assert lines[0] == f"{path}:{place}: rewards[0].cost_points: -80 is below 0"
    assert "There is no holiday calendar cn" in lines[1]
    assert lines[-1] == "2 mistakes"
    answer = json.loads(run("program", "lint", "--json", path, fails_with=1))["mistakes"]
    assert [one["code"] for one in answer] == ["PROGRAM_NUMBER_NEGATIVE", "PROGRAM_HOLIDAYS_UNKNOWN"]
    assert (answer[0]["line"], answer[0]["key"]) == (place, "rewards[0].cost_points")


def test_a_file_that_is_not_there_is_said_by_the_command_line(tmp_path: Path) -> None:
    assert "does not exist" in run("program", "lint", tmp_path / "none.toml", fails_with=2)


# ---- a shop ----------------------------------------------------------------------------------------------
async def _sell(config: Path, *prices: int) -> list[str]:
    """Sell towels to one member and one stranger; return the receipts."""
    shop = await open_shop(settings.read(config), SystemClock(), os.urandom)
    receipts = []
    try:
        joined = await register_member(shop, Joining("join", "Li", "", (), "s-1"))
        member = joined.event.body.member
        for number, count in enumerate(prices):
            line = shop.catalogue.find("6901234567908").line(count * 1000, "en")
            paid = (Tender("cash", line.unit_minor * count),)
            presented = Presented("card", "x", 1, "test") if number else None
            command = SaleCommand(
                f"sale-{number}", "t", (line,), paid, "s-1", "en", member if number else None, presented
            )
            receipts.append((await record_sale(shop, command)).receipt)
    finally:
        await shop.store.close()
    return receipts


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded") / "shop"
    path = Path(json.loads(init(folder).stdout)["config"])
    with (path.parent / "catalogue.csv").open("a", encoding="utf-8") as file:
        file.write(ARTICLE)
    return path


@pytest.fixture
def config(founded: Path, tmp_path: Path) -> Path:
    """Return the settings of a shop of one's own, just founded, with one article."""
    return shutil.copytree(founded.parent, tmp_path / "shop") / founded.name


def change(config: Path, version: str, **lines: str) -> Path:
    """Write a changed programme beside the shop's own and return it."""
    text = (config.parent / "program.toml").read_text(encoding="utf-8")
    text = text.replace('version = "1"', f'version = "{version}"')
    for name, value in lines.items():
        text = text.replace(f"{name} = ", f"{name} = {value} # ", 1)
    path = config.parent / f"program-{version}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_versions_are_shown_since_when_they_count(config: Path) -> None:
    assert "has not been started" in run("program", "show", "--config", config)
    asyncio.run(_sell(config))
    answer: dict[str, Any] = json.loads(run("program", "show", "--config", config, "--json"))
    (line,) = answer["versions"]
    assert (line["version"], line["state"], line["until"]) == ("1", "active", None)
    (config.parent / "program.toml").write_bytes(change(config, "2", voucher_days="31").read_bytes())
    asyncio.run(_sell(config))
    lines = run("program", "history", "--config", config).splitlines()
    assert [one.split("  ")[:2] for one in lines] == [["1", "past"], ["2", "active"]]
    assert "voucher_days = 30" in run("program", "history", "--config", config, "--text", "1")
    assert "never had version 9" in run("program", "history", "--config", config, "--text", "9", fails_with=2)


def test_a_version_that_was_used_cannot_change(config: Path) -> None:
    asyncio.run(_sell(config))
    (config.parent / "program.toml").write_bytes(change(config, "1", voucher_days="31").read_bytes())
    with pytest.raises(Conflict) as error:
        asyncio.run(_sell(config))
    assert error.value.code == "PROGRAM_CHANGED"


# ---- what if ---------------------------------------------------------------------------------------------
def test_other_rules_are_tried_on_old_sales_and_nothing_is_written(config: Path) -> None:
    asyncio.run(_sell(config, 10, 20, 30))
    before = (config.parent / "shop.db").read_bytes()
    candidate = change(config, "2", earn_points="2")
    with candidate.open("a", encoding="utf-8") as file:
        file.write('\n[[promotions]]\nid = "p"\nbenefit = { type = "amount", off_minor = 500 }\n')
    answer = json.loads(
        run("program", "what-if", "--config", config, "--program", candidate, "--since", "30d", "--json")
    )
    assert (answer["sales"], answer["unpriced"], answer["currency"]) == (3, 0, "CNY")
    assert answer["before"] == {"points": 600, "off_minor": 0, "cost_minor": 0}
    assert answer["after"] == {"points": 2 * (235 + 355), "off_minor": 1500, "cost_minor": 1500}
    assert answer["difference_minor"] == 1500
    (winner,) = answer["winners"]
    assert (winner["before_minor"], winner["after_minor"], answer["losers"]) == (0, 1000, [])
    assert (config.parent / "shop.db").read_bytes() == before
    text = run("program", "what-if", "--config", config, "--program", candidate)
    assert "3 sales priced again." in text
    assert "Better for 1 members, worse for 0." in text


def test_an_age_that_is_none_is_refused(config: Path) -> None:
    arguments = ("program", "what-if", "--config", config, "--program", change(config, "2"), "--since")
    for since in ("30", "0d", "d", "99999d", "-1d", ""):
        assert "AGE_INVALID" in run(*arguments, since, fails_with=2)


def test_a_broken_candidate_and_another_currency_are_refused(config: Path) -> None:
    asyncio.run(_sell(config))
    arguments = ("program", "what-if", "--config", config, "--program")
    assert "PROGRAM_INVALID" in run(*arguments, change(config, "2", voucher_days="0"), fails_with=2)
    assert "CURRENCY_MISMATCH" in run(*arguments, change(config, "3", currency='"JPY"'), fails_with=2)


# ---- explain ---------------------------------------------------------------------------------------------
def test_an_event_is_explained_by_its_receipt_its_tail_or_its_sale(config: Path) -> None:
    _, receipt = asyncio.run(_sell(config, 1, 10))
    text = run("explain", receipt, "--config", config)
    lines = text.splitlines()
    assert lines[0].startswith("sale, ")
    assert lines[0].endswith(", programme 1")
    assert lines[1] == "List price ¥120.00"
    assert "Points +120: ¥120.00 at 1 per ¥1.00 × 1" in lines
    for same in (receipt.rpartition("-")[2], "-".join(receipt.rsplit("-", 2)[1:]), "sale-1"):
        assert run("explain", same, "--config", config) == text
    answer = json.loads(run("explain", receipt, "--config", config, "--json", "--language", "ja"))
    assert answer["reasons"][0] == {
        "code": "EXPLAIN_GROSS",
        "figures": {"gross_minor": 12000, "currency": "CNY"},
        "sentence": "定価の合計 ¥120.00",
    }


def test_an_event_that_is_not_here_is_refused(config: Path) -> None:
    asyncio.run(_sell(config))
    for event in ("999", "nowhere-1-1", "0", "1-2-3-4", "9" * 30, "9" * 18, "x", "1-"):
        assert "EVENT_UNKNOWN" in run("explain", event, "--config", config, fails_with=2)
