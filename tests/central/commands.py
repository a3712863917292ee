"""Central's commands, run as an operator runs them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tapledger_central.cli import central
from tests.central.world import World


def run(config: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a command with --json and return its exit code and what it said."""
    done = CliRunner().invoke(central, [*arguments, "--config", str(config), "--json"])
    return done.exit_code, json.loads(done.stdout)


async def run_beside(config: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Do the same while this test's own event loop goes on."""
    return await asyncio.to_thread(run, config, *arguments)


def config_of(world: World) -> Path:
    """Write the settings by which a command finds the world's central."""
    config = world.folder / "central.toml"
    config.write_text(f'data_folder = "central"\ndatabase_url = "{world.database_url}"\n')
    return config
