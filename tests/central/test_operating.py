"""The operator's commands: each does its work on either engine, and says in JSON what it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tapledger_central.cli import central
from tapledger_central.store import schema
from tests.postgres import APP, Database


def run(config: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(central, [*arguments, "--config", str(config), "--json"])
    return done.exit_code, json.loads(done.stdout)


def commands_work(config: Path) -> None:
    assert run(config, "migrate") == (0, {"version": schema.LATEST})
    assert run(config, "migrate") == (0, {"version": schema.LATEST}), "a second time changes nothing"
    code, made = run(config, "enrol-code", "--shop", "North")
    assert (code, made["shop"]) == (0, "North")
    code, report = run(config, "check", "--all")
    assert (code, report["faults"]) == (0, [])
    assert run(config, "nodes") == (0, {"nodes": []})
    code, refused = run(config, "revoke", "nobody")
    assert (code, refused["code"]) == (2, "NODE_UNKNOWN")


def test_on_its_own_file(tmp_path: Path) -> None:
    config = tmp_path / "central.toml"
    config.write_text('data_folder = "data"\n')
    commands_work(config)


def test_on_postgresql(tmp_path: Path, postgres_url: Database) -> None:
    config = tmp_path / "central.toml"
    config.write_text(
        f'data_folder = "data"\ndatabase_url = "{postgres_url.app}"\n'
        f'database_owner_url = "{postgres_url.owner}"\ndatabase_role = "{APP}"\n'
    )
    code, refused = run(config, "check")
    assert (code, refused["code"]) == (2, "STORE_NOT_MIGRATED")
    commands_work(config)
