"""A demo shop's process: the real daemon, with the dock beside it. ``python -m tapledger.lab.shop``."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import click

from tapledger import settings
from tapledger.app import Daemon
from tapledger.commands.serve import serve
from tapledger.lab.bench.readers import SIMULATED
from tapledger.lab.dock import DockFace
from tapledger.lab.seed import demo_cards
from tapledger.membership.shop import Shop
from tapledger.settings import Settings
from tapledger_central.keys import load_or_make
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.simulated_reader import SimulatedCardReader
from tapledger_drivers.io import Io
from tapledger_drivers.ports import Driver, TrustPolicy
from tapledger_drivers.registry import Sibling, create_driver


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--central", type=Path, required=True, help="Folder of the demo's central.")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.config, arguments.bench, arguments.central))


async def _serve(config: Path, bench: Path, central: Path) -> None:
    simulated: dict[str, SimulatedCardReader] = {}

    def build(
        device: DeviceConfig, trust: TrustPolicy, io: Io, sibling: Callable[[str], Sibling | None]
    ) -> Driver:
        if device.driver != SIMULATED:
            return create_driver(device, trust, io, sibling)
        return simulated.setdefault(device.role, SimulatedCardReader(device.role, trust))

    cards = demo_cards(load_or_make(central, _no_keys))

    def started(port: int) -> None:
        click.echo(json.dumps({"port": port}))

    async def run(shop: Shop, fitted: Settings) -> None:
        daemon = Daemon(shop, fitted, build)
        dock = DockFace(bench, daemon.live, simulated, cards)
        async with asyncio.TaskGroup() as group:
            group.create_task(dock.run())
            group.create_task(daemon.run(started, dock.routes()))

    await serve(settings.read(config), run)


def _no_keys(count: int) -> bytes:
    raise AssertionError("the demo's central was to make its keys before its shops start")


if __name__ == "__main__":
    main()
