"""``tapledger backup`` and ``tapledger restore``, as a technician types them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tapledger.cli import main
from tests.faults.lone_shop import found_shop


@pytest.fixture
def config(tmp_path: Path) -> Path:
    asyncio.run(found_shop(tmp_path / "shop", ballast_mb=0))
    return tmp_path / "shop" / "daemon.toml"


def told(*words: object, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert result.exit_code == code, result.output
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def said(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_backup_is_made_looked_at_and_brought_back(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "disk" / "a.db"
    made = told("backup", file, "--config", config)
    assert (made["events"], made["epoch"], made["seq"], made["bytes"]) == (1, 1, 1, file.stat().st_size)
    foreseen = told("restore", file, "--dry-run", "--config", config)
    assert (foreseen["dry_run"], foreseen["made_at"], foreseen["aside"]) == (True, made["made_at"], None)
    done = told("restore", file, "--config", config)
    assert (done["follows"], done["lost"], done["waits_for_central"]) == (0, 0, False)
    assert Path(done["aside"]).is_file()
    assert told("verify-ledger", "--config", config)["events"] == 1
    assert told("restore", file, "--config", config)["begins_epoch"] > done["begins_epoch"]


def test_people_are_told_in_sentences(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    assert "The keys are not in it" in said("backup", file, "--config", config)
    assert said("restore", file, "--dry-run", "--config", config).endswith("Nothing was changed.\n")
    assert "The ledger that was here is kept as" in said("restore", file, "--config", config)


def test_what_is_no_backup_is_refused(config: Path, tmp_path: Path) -> None:
    assert told("restore", tmp_path / "none.db", "--config", config, code=2)["code"] == "BACKUP_MISSING"
    inside = config.parent / "shop.db"
    assert told("backup", inside, "--config", config, code=2)["code"] == "BACKUP_PLACE"
