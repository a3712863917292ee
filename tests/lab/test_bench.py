"""The benches of the demo's shops: every fault of every device, pulled through their door and by the CLI."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from tapledger.cli import main
from tapledger.errors import Invalid, NotFound, TapledgerError, Unavailable
from tapledger.lab import seed, simulate
from tapledger.lab.bench.bench import Bench
from tapledger.lab.bench.door import BenchDoor
from tapledger.lab.bench.line import view
from tapledger.lab.bench.readers import PcscReader
from tapledger.lab.bench.sets import SETS
from tapledger.lab.network import WELL, Fault, FaultProxy, seeded
from tapledger.web.snapshots import Dock, DockDevice, DockNetwork, NetworkChoice
from tapledger_central.keys import load_or_make
from tapledger_drivers.emulators.faults import AMOUNTS, Verb
from tapledger_drivers.emulators.reader_station import ReaderStation
from tests.drivers.station import started_station as started_station

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_S = 10.0
TAKE_THE_SERVICE = {Verb.UNPLUG, Verb.REPLUG, Verb.PCSCD_KILL}
"""Of a reader behind pcscd: each starts pcscd anew, so one reader has to stand for all."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def benches(started_station: ReaderStation) -> AsyncIterator[dict[str, Bench]]:
    """Yield the devices of both shops, with nobody who drives them; shop B has a line that can be broken."""
    lines = {"shop-b": FaultProxy(1)}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        cards = seed.demo_cards(load_or_make(Path(folder) / "central", lambda count: bytes(range(count))))
        made = {}
        for shop, devices in SETS.items():
            place = Path(folder) / shop
            place.mkdir()
            line = lines.get(shop)
            made[shop] = Bench(devices(started_station), cards, seed.demo_codes(""), place, line)
            await made[shop].start()
        yield made
        for bench in made.values():
            await bench.close()
        await started_station.start_pcscd()


@pytest.fixture
def demo(benches: dict[str, Bench], tmp_path: Path) -> Path:
    """Return the folder of a demo that says where its benches are."""
    simulate.announce(tmp_path, {shop: bench.socket for shop, bench in benches.items()})
    return tmp_path


def pull(device: str, verb: str, **more: object) -> bytes:
    return json.dumps({"device": device, "verb": verb, **more}).encode()


def of(dock: Dock, role: str) -> DockDevice:
    return next(device for device in dock.devices if device.role == role)


def in_force(dock: Dock, role: str) -> dict[str, int | None]:
    return {fault.verb: fault.amount for fault in of(dock, role).faults if fault.on}


async def test_every_fault_of_every_device_begins_and_ends(benches: dict[str, Bench]) -> None:
    pulled: set[str] = set()
    for bench in benches.values():
        door = BenchDoor(bench.socket)
        for device in (await door.state()).devices:
            for fault in device.faults:
                if device.driver == "pcsc" and fault.verb in TAKE_THE_SERVICE & {Verb(v) for v in pulled}:
                    continue
                await door.do("fault", pull(device.role, fault.verb))
                emulated = bench.devices[device.role].emulated
                assert emulated is not None
                begun = {one.verb: one.amount for one in emulated.faults()}
                if fault.verb == Verb.REPLUG:
                    assert begun == {}
                else:
                    usual = AMOUNTS.get(Verb(fault.verb))
                    assert begun == {fault.verb: usual or 0}, f"{device.role} {fault.verb}"
                    assert in_force(await door.state(), device.role) == {fault.verb: usual}
                    await door.do("fault", pull(device.role, fault.verb, on=False))
                assert in_force(await door.state(), device.role) == {}, f"{device.role} {fault.verb}"
                pulled.add(fault.verb)
    assert pulled == set(Verb)


async def test_an_amount_is_taken_and_what_happens_once_is_over_by_itself(
    benches: dict[str, Bench],
) -> None:
    """The state is pushed when a fault is over: nobody has to ask."""
    bench = benches["shop-a"]
    async with BenchDoor(bench.socket).session() as session, session.ws_connect("/live") as live:
        await BenchDoor(bench.socket).do("fault", pull("till-scanner", "drop_after", amount=5))
        await _pushed(live, lambda dock: in_force(dock, "till-scanner") == {"drop_after": 5})
        await bench.scan("6901234567908")
        await _pushed(live, lambda dock: in_force(dock, "till-scanner") == {"unplug": None})
        await BenchDoor(bench.socket).do("fault", pull("till-scanner", "replug"))
        await _pushed(live, lambda dock: in_force(dock, "till-scanner") == {})


async def _pushed(live: aiohttp.ClientWebSocketResponse, holds: Callable[[Dock], bool]) -> None:
    import msgspec

    async with asyncio.timeout(PATIENCE_S):
        async for message in live:
            if holds(msgspec.json.decode(message.data, type=Dock)):
                return
    raise AssertionError("the bench hung up")


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("fault", pull("till-scaner", "unplug"), "DOCK_NO_DEVICE"),
        ("fault", pull("till-scanner", "paper_out"), "DOCK_NO_FAULT"),
        ("fault", pull("till-scanner", "explode"), "DOCK_NO_FAULT"),
        ("fault", pull("cash-drawer", "unplug"), "DOCK_NO_FAULTS"),
        ("fault", pull("till-scanner", "slow", amount=-1), "DOCK_AMOUNT"),
        ("fault", pull("till-scanner", "slow", amount=10**9), "DOCK_AMOUNT"),
        ("fault", pull("till-scanner", "slow", amount="much"), "BODY_INVALID"),
        ("fault", pull("till-scanner", "slow", of="it"), "BODY_INVALID"),
        ("fault", b"\xff{", "BODY_INVALID"),
        ("insert", b'{"reader": "kiosk-reader", "card": "king"}', "DOCK_NO_CARD"),
        ("insert", b'{"reader": "till-scanner", "card": "wang"}', "DOCK_NO_DEVICE"),
        ("remove", b'{"reader": ""}', "DOCK_NO_DEVICE"),
        ("scan", json.dumps({"text": "9" * 200_000}).encode(), "DOCK_SCAN_TOO_LONG"),
        ("shut", b'{"drawer": "receipt-printer"}', "DOCK_NO_DEVICE"),
        ("network", b'{"state": "cut"}', "DOCK_NO_NETWORK"),
        ("network", b'{"state": "other"}', "BODY_INVALID"),
    ],
)
async def test_what_cannot_be_done_is_refused_by_name_and_changes_nothing(
    benches: dict[str, Bench], action: str, body: bytes, code: str
) -> None:
    door = BenchDoor(benches["shop-a"].socket)
    before = await door.state()
    with pytest.raises(Invalid) as refused:
        await door.do(action, body)
    assert refused.value.code == code
    assert await door.state() == before


async def test_the_line_to_central_is_what_it_is_made_and_the_bench_says_so(
    demo: Path, benches: dict[str, Bench]
) -> None:
    assert benches["shop-a"].dock().network is None
    for state in get_args(NetworkChoice):
        said = await run_json(demo, "network", state, "--shop", "shop-b")
        assert said == {"shop": "shop-b", "network": state, "exit": 0}
        listed = await run(demo, "list", "--shop", "shop-b")
        assert f"network: {state} (0 requests, 0 replies, 0 lost)" in listed.output.splitlines()
    door = BenchDoor(benches["shop-b"].socket)
    await door.do("network", b'{"state": "well"}')
    assert (await door.state()).network == DockNetwork("well", 0, 0, 0)


async def test_a_line_that_a_test_has_broken_in_its_own_way_is_called_other() -> None:
    line = FaultProxy(1)
    await line.set(Fault(hang=True))
    line.counts.lost = 3
    assert view(line) == DockNetwork("other", 0, 0, 3)
    await line.set(WELL)
    line.choose = seeded(random.Random(1), [(1, WELL)])
    assert view(line).state == "other"


async def test_a_card_lies_on_one_reader_of_a_shop(benches: dict[str, Bench]) -> None:
    bench = benches["shop-b"]
    await bench.insert("till-reader", "wang")
    await bench.insert("kiosk-reader", "wang")
    lying = {device.role: device.card for device in bench.dock().devices if device.kind == "reader"}
    assert lying == {"kiosk-reader": "wang", "till-reader": None}
    await bench.remove("kiosk-reader")


async def test_readers_without_their_station_are_looked_at_all_the_same(
    started_station: ReaderStation,
) -> None:
    del started_station  # where it cannot be started this test is skipped with the others
    with tempfile.TemporaryDirectory(prefix="station-") as folder:
        station = await ReaderStation.start(Path(folder), readers=1)
        reader = PcscReader("kiosk-reader", station, 0)
        await reader.pull("torn_card", True, None)
        await station.close()
        await reader.look()
        with pytest.raises(Unavailable, match="DOCK_GONE"):
            await reader.take()


async def test_a_drawer_that_was_opened_is_pushed_in(benches: dict[str, Bench]) -> None:
    bench = benches["shop-a"]
    bench.printer.set_drawer_open(True)
    assert of(bench.dock(), "cash-drawer").open is True
    await BenchDoor(bench.socket).do("shut", b'{"drawer": "cash-drawer"}')
    assert of(bench.dock(), "cash-drawer").open is False


# ---- the command line ----------------------------------------------------------------------------------
async def run(folder: Path, *arguments: str) -> Result:
    """Run ``tapledger simulate`` beside the benches' loop."""
    command = ["simulate", *arguments, "--folder", str(folder)]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def run_json(folder: Path, *arguments: str) -> dict[str, Any]:
    done = await run(folder, *arguments, "--json")
    result: dict[str, Any] = json.loads(done.output)
    return {**result, "exit": done.exit_code}


async def test_the_command_line_breaks_and_mends(demo: Path) -> None:
    said = await run_json(demo, "fault", "receipt-printer", "slow", "--amount", "50", "--shop", "shop-b")
    assert said == {"shop": "shop-b", "device": "receipt-printer", "verb": "slow", "on": True, "exit": 0}
    listed = await run(demo, "list", "--shop", "shop-b")
    assert listed.exit_code == 0 and "  * slow 50" in listed.output.splitlines()
    devices = (await run_json(demo, "list", "--shop", "shop-b"))["devices"]
    printer = next(device for device in devices if device["role"] == "receipt-printer")
    assert [fault["verb"] for fault in printer["faults"] if fault["on"]] == ["slow"]
    assert (await run(demo, "fault", "receipt-printer", "slow", "--off", "--shop", "shop-b")).exit_code == 0
    assert "*" not in (await run(demo, "list", "--shop", "shop-b")).output


async def test_the_command_line_lays_cards_on_and_scans(demo: Path, benches: dict[str, Bench]) -> None:
    assert (await run_json(demo, "card", "bob", "--reader", "kiosk-reader", "--shop", "shop-b"))["exit"] == 0
    assert of(benches["shop-b"].dock(), "kiosk-reader").card == "bob"
    assert (await run_json(demo, "remove", "--reader", "kiosk-reader", "--shop", "shop-b"))["exit"] == 0
    assert of(benches["shop-b"].dock(), "kiosk-reader").card is None
    sent = benches["shop-a"].scanner.wire.bytes_out
    assert (await run_json(demo, "scan", "6901234567908"))["exit"] == 0
    assert benches["shop-a"].scanner.wire.bytes_out == sent + len("6901234567908\r")


async def test_the_command_line_says_what_there_is_instead(demo: Path) -> None:
    done = await run(demo, "fault", "receipt-printer", "torn_card")
    assert done.exit_code == 2
    assert "receipt-printer does not know the fault torn_card." in done.output
    assert "paper_out" in done.output
    done = await run(demo, "fault", "cash-drawer", "unplug")
    assert done.exit_code == 2 and "Break the device that it hangs on." in done.output
    said = await run_json(demo, "list", "--shop", "shop-z")
    assert (said["code"], said["exit"]) == ("DEMO_NO_SHOP", 2) and "shop-a, shop-b" in said["next_step"]


async def test_words_that_are_no_text_are_refused(demo: Path) -> None:
    """As a shell gives bytes that are not UTF-8."""
    for words in (("fault", "\udcff", "unplug"), ("card", "\udcff"), ("scan", "69\udcff")):
        said = await run_json(demo, *words)
        assert (said["code"], said["exit"]) == ("TEXT_IMPOSSIBLE", 2), words


async def test_without_a_demo_the_next_step_is_said(tmp_path: Path) -> None:
    said = await run_json(tmp_path, "list")
    assert (said["code"], said["exit"]) == ("DEMO_NOT_RUNNING", 2)
    assert "make run" in said["next_step"]
    # One that was killed leaves its file behind, and nobody who answers.
    simulate.announce(tmp_path, {"shop-a": tmp_path / "gone.sock"})
    with pytest.raises(Unavailable) as gone:
        await simulate.scan(tmp_path, "shop-a", "1")
    assert gone.value.code == "DEMO_NOT_RUNNING"
    (tmp_path / simulate.FILE).write_text("{")
    with pytest.raises(TapledgerError):
        await simulate.scan(tmp_path, "shop-a", "1")


async def test_only_this_user_reads_where_the_benches_are(demo: Path) -> None:
    assert (demo / simulate.FILE).stat().st_mode & 0o777 == 0o600
    simulate.withdraw(demo)
    simulate.withdraw(demo)
    with pytest.raises(Unavailable):
        await simulate.state(demo, "shop-a")
    with pytest.raises(NotFound):
        simulate.announce(demo, {"shop-a": demo / "x"})
        await simulate.state(demo, "shop-b")
