"""Every command that reads a shop's configuration says what is wrong with it, with a code and a next step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tapledger.cli import main

NEEDED = {
    "backup": ["x"],
    "restore": [__file__],
    "verify-proof": [__file__],
    "desk": ["show", "member=x"],
    "enrol": ["--code", "x"],
    "record": ["till-scanner"],
    "explain": ["0001-1-1"],
    "member show": ["x"],
    "member history": ["x"],
    "program what-if": ["--program", __file__],
}
"""What the commands must be given besides."""


def configured(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from configured(command, f"{path}{name} ")
        elif any(one.name == "config" for one in command.params):
            yield f"{path}{name}"


COMMANDS = list(configured(main))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_configuration_is_told(name: str, tmp_path: Path) -> None:
    given = [*name.split(), *NEEDED.get(name, []), "--config", str(tmp_path / "none.toml"), "--json"]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 2, done.output
    assert json.loads(done.output)["code"] == "CONFIG_MISSING"


def test_there_are_such_commands() -> None:
    assert {"run", "enrol", "record", "program show", "program history"} <= set(COMMANDS)
