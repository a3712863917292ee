"""``tapledger init`` as an owner types it: a real shop, once, with nothing of the demo in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tapledger import settings
from tapledger.app import open_shop
from tapledger.clock import SystemClock
from tapledger.errors import Denied
from tapledger.membership import sign_in
from tapledger.membership.sign_in import Throttle
from tapledger.store import members, staff

TAPLEDGER = [sys.executable, "-c", "from tapledger.cli import main; main()"]
ANSWERS = ["--name", "青松超市", "--currency", "cny", "--timezone", "Asia/Shanghai", "--language", "en"]


def init(folder: Path, *answers: str) -> subprocess.CompletedProcess[str]:
    command = [*TAPLEDGER, "init", "--folder", str(folder), "--json", *(answers or ANSWERS)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def test_a_founded_shop_is_empty_and_its_code_makes_the_owner_once(tmp_path: Path) -> None:
    done = init(tmp_path / "shop")
    assert done.returncode == 0, done.stderr
    founded = json.loads(done.stdout)
    config = settings.read(Path(founded["config"]))
    assert (config.shop.name, config.shop.language, config.devices) == ("青松超市", "en", [])
    keys = tmp_path / "shop" / "keys"
    assert keys.stat().st_mode & 0o077 == 0
    shop = await open_shop(config, SystemClock(), os.urandom)
    try:
        assert (shop.program.currency, shop.program.rewards, shop.catalogue.articles) == ("CNY", [], {})
        assert await shop.store.transact(members.count) == 0
        assert await shop.store.transact(staff.everyone) == []
        throttle = Throttle(shop.clock)
        with pytest.raises(Denied, match="SETUP_CODE_WRONG"):
            await sign_in.set_up_owner(shop, throttle, "0000-0000-0000-0", "Li", "135790")
        owner = await sign_in.set_up_owner(shop, throttle, founded["setup_code"], "Li", "135790")
        assert (await sign_in.sign_in(shop, throttle, owner.id, "135790")).role == "owner"
        with pytest.raises(Denied, match="SETUP_CODE_WRONG"):
            await sign_in.set_up_owner(shop, throttle, founded["setup_code"], "Thief", "246802")
    finally:
        await shop.store.close()


def test_it_never_runs_over_a_shop(tmp_path: Path) -> None:
    assert init(tmp_path).returncode == 0
    before = contents(tmp_path)
    again = init(tmp_path)
    assert again.returncode == 2
    assert json.loads(again.stdout)["code"] == "STORE_EXISTS"
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (["--name", " ", *ANSWERS[2:]], "SHOP_NAME_EMPTY"),
        ([*ANSWERS[:3], "RMB1", *ANSWERS[4:]], "CURRENCY_UNKNOWN"),
        ([*ANSWERS[:5], "Mars/Olympus", *ANSWERS[6:]], "TIMEZONE_UNKNOWN"),
    ],
)
def test_a_wrong_answer_makes_nothing(tmp_path: Path, answers: list[str], code: str) -> None:
    done = init(tmp_path / "shop", *answers)
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == code
    assert not (tmp_path / "shop").exists()
