"""A technician records a device of a running shop, and the file replays at a desk."""

from __future__ import annotations

import asyncio
import functools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tapledger.cli import main
from tapledger.devices.recording import Recordable, Recordings
from tapledger.errors import NotFound, Refused
from tapledger_drivers.cassettes import tape
from tapledger_drivers.cassettes.replaying import replay
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.ports import Scan
from tests.devices.fakes import PATIENCE_S
from tests.devices.test_recovery import PRINTER, SCANNER, Shop, plugged, running
from tests.store.shops import Bench

MEMBER_CODE = "TL-90012345-abc"
CONFIGURATION = """
[shop]
name = "x"
[store]
folder = "s"
[files]
program = "p"
catalogue = "c"
[web]
port = 1
"""


def recordings_of(shop: Shop, bench: Bench, config: DeviceConfig) -> Recordings:
    recordings = Recordings(shop.clock, bench.shop.randomness)
    recordings.devices = {
        config.role: Recordable(
            config,
            shop.devices.traffic[config.role],
            lambda: shop.devices.states[config.role].info,
            functools.partial(shop.devices.reopen, config.role),
        )
    }
    shop.wrap = recordings.wrap
    return recordings


async def test_a_recording_begins_with_the_next_opening_and_replays(bench: Bench) -> None:
    async with plugged() as (scanner, printer), running(bench, scanner, printer) as shop:
        await shop.until(lambda: shop.is_up(SCANNER))
        config = DeviceConfig(SCANNER, "serial_line", {"path": scanner.path})
        recordings = recordings_of(shop, bench, config)
        await scanner.scan("6901234567908")
        assert await shop.code() == "6901234567908"
        opened = shop.devices.states[SCANNER].opened
        recordings.start(SCANNER)
        with pytest.raises(Refused, match="RECORDING_RUNS"):
            recordings.start(SCANNER)
        await shop.until(lambda: shop.is_up(SCANNER) and shop.devices.states[SCANNER].opened > opened)
        for code in ("6901234567946", MEMBER_CODE):
            await scanner.scan(code)
            assert await shop.code() == code
        data = recordings.stop(SCANNER)
        await shop.until(lambda: shop.is_up(SCANNER) and shop.devices.states[SCANNER].opened > opened + 1)
    cassette = tape.read(data)
    assert cassette.frames[0].channel == "call" and '"open"' in cassette.frames[0].note
    assert b"6901234567946" in data and b"6901234567908" not in data
    assert MEMBER_CODE.encode() not in data and b"90012345" not in data
    replayed = await asyncio.to_thread(replay, cassette)
    assert replayed.same, replayed.difference()
    assert sum(Scan.__name__ in line for line in replayed.outcomes) == 2


async def test_half_a_code_is_nobodys_and_in_no_recording(bench: Bench) -> None:
    """The recording ends while a member's code arrives: nobody has judged yet whose it is."""
    async with plugged() as (scanner, printer), running(bench, scanner, printer) as shop:
        await shop.until(lambda: shop.is_up(SCANNER))
        config = DeviceConfig(SCANNER, "serial_line", {"path": scanner.path})
        recordings = recordings_of(shop, bench, config)
        recordings.start(SCANNER)
        await shop.until(lambda: shop.devices.states[SCANNER].opened == 2)
        arrived = asyncio.Event()
        traffic = shop.devices.traffic[SCANNER]
        traffic.listeners.append(lambda frame: arrived.set() if frame.data else None)
        await scanner.pull(Verb.HALF_WRITE)
        await scanner.scan(MEMBER_CODE)
        async with asyncio.timeout(PATIENCE_S):
            await arrived.wait()
        cassette = tape.read(recordings.stop(SCANNER))
        assert [frame.data for frame in cassette.frames if frame.data] == []
        assert cassette.frames[-1].channel == "call"


async def test_what_is_not_recorded_cannot_be_taken(bench: Bench) -> None:
    async with plugged() as (scanner, printer), running(bench, scanner, printer) as shop:
        recordings = recordings_of(shop, bench, DeviceConfig(SCANNER, "serial_line", {"path": scanner.path}))
        with pytest.raises(NotFound, match="RECORDING_UNKNOWN"):
            recordings.stop(SCANNER)
        with pytest.raises(NotFound, match="DEVICE_UNKNOWN"):
            recordings.start(PRINTER)


def test_a_file_that_is_no_recording_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(b"nonsense")
    for path, code in (
        (file, "RECORDING_UNREADABLE"),
        (tmp_path, "RECORDING_UNREADABLE"),
        (tmp_path / "nothing", "CONFIG_MISSING"),
    ):
        told = CliRunner().invoke(main, ["replay", str(path), "--json"])
        assert told.exit_code == 2
        assert json.loads(told.output)["code"] == code


def test_no_daemon_is_told_so(tmp_path: Path) -> None:
    config = tmp_path / "daemon.toml"
    config.write_text(CONFIGURATION, encoding="utf-8")
    told = CliRunner().invoke(
        main, ["record", "till-scanner", "--config", str(config), "--seconds", "1", "--json"]
    )
    assert told.exit_code == 2
    assert json.loads(told.output)["code"] == "DAEMON_NOT_THERE"
