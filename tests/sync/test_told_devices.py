"""Head office tells one computer its devices: used from its next start, never over the computer's file."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tapledger import settings
from tapledger.clock import SystemClock
from tapledger.commands.enrol import enrol_shop
from tapledger.commands.found import Founding, found
from tapledger.errors import Conflict, Invalid
from tapledger.floor import told_devices
from tapledger.lab.visitor import Visitor
from tapledger.settings import CentralSettings, DeviceSettings
from tapledger.wire.news import DevicesNews
from tapledger_central import regions, telling
from tapledger_central.store import Transaction, nodes
from tests.central.commands import config_of, run_beside
from tests.central.test_process import Office
from tests.central.test_process import office as office
from tests.central.world import ShopNode, World
from tests.hub.branch import node_of, whole

PRINTER = '[[devices]]\nrole = "receipt-printer"\ndriver = "escpos"\noptions = { port = "tcp:127.0.0.1:9" }\n'
READER = '[[devices]]\nrole = "till-reader"\ndriver = "pcsc"\n'
DAEMON = [sys.executable, "-c", "from tapledger.cli import main; main()", "run", "--json", "--config"]
START_S = 60.0


def randomness(count: int) -> bytes:
    return bytes(range(count))


def written(folder: Path, text: str) -> str:
    path = folder / "devices.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@asynccontextmanager
async def console(config: Path) -> AsyncIterator[Visitor]:
    """Run a shop's daemon as a process and yield its console."""
    with (config.parent / "daemon.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *DAEMON, str(config), stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            faces = json.loads(await process.stdout.readline())
        port = int(faces["console"].split(":")[2].partition("/")[0])
        async with Visitor(port, "console") as visitor:
            yield visitor
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_a_daemon_says_what_it_was_told_and_uses_it_from_its_next_start(
    office: Office, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{office.port}"
    founding = Founding(tmp_path / "shop", "North", "CNY", "Asia/Shanghai", "en", 0, address)
    founded = await found(founding, SystemClock(), randomness)
    node = await enrol_shop(settings.read(founded.config), (await office.enrol_code("North"))["code"])
    own = {one.role for one in settings.read(founded.config).devices}
    assert "receipt-printer" not in own
    async with console(founded.config) as face:
        await face.until(lambda s: s["sync"]["online"] and s["sync"]["problem"] is None, "not in reach")
        told = written(tmp_path, PRINTER)
        assert await run_beside(office.config, "devices", node, told) == (0, {"node": node, "before": ""})
        shown = await face.until(lambda s: s["sync"]["problem"] is not None, "the console says nothing")
        assert shown["sync"]["problem"]["code"] == "DEVICES_WAIT"
        assert {one["role"] for one in shown["devices"]} == own
    async with console(founded.config) as face:
        shown = await face.until(lambda s: s["sync"]["online"], "not in reach")
        assert shown["sync"]["problem"] is None
        (printer,) = [one for one in shown["devices"] if one["role"] == "receipt-printer"]
        assert (printer["driver"], {one["role"] for one in shown["devices"]}) == (
            "escpos",
            own | {"receipt-printer"},
        )
        nothing = written(tmp_path, "")
        assert await run_beside(office.config, "devices", node, nothing) == (
            0,
            {"node": node, "before": PRINTER},
        )
        await face.until(lambda s: s["sync"]["problem"] is not None, "it is not said that it is taken back")
    async with console(founded.config) as face:
        shown = await face.until(lambda s: s["sync"]["online"], "not in reach")
        assert {one["role"] for one in shown["devices"]} == own


async def tell(world: World, node: ShopNode, text: str) -> None:
    def work(tx: Transaction) -> None:
        known = nodes.find(tx, node.keyring.node)
        assert known is not None
        telling.devices(tx, known, DevicesNews(text=text), world.clock.now())

    await world.central.store.transact(work)


async def test_one_computer_alone_hears_of_its_devices(world: World) -> None:
    one, other = [await node_of(world, "north", name) for name in ("one", "other")]
    await tell(world, one, PRINTER)
    for node in (one, other):
        await node.pull()
    assert await told_devices.told_text(one.store) == PRINTER
    assert await told_devices.told_text(other.store) == ""


async def test_a_computers_own_file_counts_for_the_roles_that_it_names(world: World) -> None:
    node = await world.shop("north")
    await tell(world, node, PRINTER + READER)
    await node.pull()
    mine = [
        DeviceSettings(role="receipt-printer", driver="star"),
        DeviceSettings(role="till-light", driver="x"),
    ]
    own = whole(world.folder, CentralSettings()).model_copy(update={"devices": mine})
    fitted = await told_devices.fitted(own, node.store)
    assert [(one.role, one.driver) for one in fitted.devices] == [
        ("receipt-printer", "star"),
        ("till-light", "x"),
        ("till-reader", "pcsc"),
    ]


async def test_what_a_newer_central_says_harms_nobody_and_is_said(world: World) -> None:
    node = await world.shop("north")
    await tell(world, node, PRINTER.replace("receipt-printer", "hologram"))
    await node.pull()
    own = whole(world.folder, CentralSettings())
    assert await told_devices.fitted(own, node.store) == own
    told = await told_devices.told_text(node.store)
    problem = told_devices.problem(told, told)
    assert isinstance(problem, Invalid) and "devices.0.role" in str(problem.data["why"])
    assert told_devices.problem("", "") is told_devices.problem(PRINTER, PRINTER) is None
    assert isinstance(told_devices.problem(PRINTER, ""), Conflict)


async def test_a_shop_that_is_put_elsewhere_and_back_has_what_it_was_told_last(world: World) -> None:
    north = await world.shop("north")
    await tell(world, north, PRINTER)
    for scope, text in (("n", READER), ("all", PRINTER + READER)):
        await regions.put(world.central.store, "north", scope, world.clock.now())
        await north.pull()
        before = await told_devices.told_text(north.store)
        await tell(world, north, text)
        await north.pull()
        assert await told_devices.told_text(north.store) == text != before
    await regions.put(world.central.store, "north", "n", world.clock.now())
    await north.pull()
    assert await told_devices.told_text(north.store) == PRINTER + READER


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PRINTER + PRINTER, "two devices have the same role"),
        (PRINTER.replace("driver", "diver"), "did you mean driver?"),
        ('shop = "x"\n', "shop: not a setting"),
        ("[[devices]", "line 1"),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_told(world: World, text: str, why: str) -> None:
    node, config = await world.shop("north"), config_of(world)
    name = node.keyring.node
    code, said = await run_beside(config, "devices", name, written(world.folder, text))
    assert (code, said["code"]) == (2, "CONFIG_INVALID") and why in said["sentence"]
    assert await run_beside(config, "devices", name) == (0, {"node": name, "devices": ""})
    code, said = await run_beside(config, "devices", "nobody", written(world.folder, PRINTER))
    assert (code, said["code"]) == (2, "NODE_UNKNOWN")
    for before in ("", PRINTER):
        told = await run_beside(config, "devices", name, written(world.folder, PRINTER))
        assert told == (0, {"node": name, "before": before})
    assert await run_beside(config, "devices", name) == (0, {"node": name, "devices": PRINTER})
