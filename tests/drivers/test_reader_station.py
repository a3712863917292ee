"""The station is shut in, and dies with whoever started it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tapledger_drivers.emulators import reader_station as reader_station_module
from tapledger_drivers.emulators.faults import AMOUNTS, Fault, Verb
from tapledger_drivers.emulators.reader_station import ReaderStation, StationRefused, StationUnavailable
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tests.drivers.cards import UID

OWNER = """
import asyncio, sys
from pathlib import Path
from tapledger_drivers.emulators.faults import AMOUNTS, Fault, Verb
from tapledger_drivers.emulators.reader_station import ReaderStation
station = asyncio.run(ReaderStation.start(Path(sys.argv[1])))
print(station.pid, flush=True)
sys.stdin.read()
"""


def listening() -> set[str]:
    tables = [Path(f"/proc/net/{name}").read_text().splitlines() for name in ("tcp", "tcp6")]
    lines = [line.split() for table in tables for line in table]
    return {fields[1].rpartition(":")[2] for fields in lines if fields[3] == "0A"}


async def test_nothing_listens_outside_the_namespace(reader_station: ReaderStation) -> None:
    state = await reader_station.state()
    assert state["pcscd"] is True
    assert [reader["name"] for reader in state["readers"]] == list(reader_station.reader_names)
    assert not listening() & {f"{port:04X}" for port in range(35963, 35971)}


async def test_the_state_shows_the_cards(reader_station: ReaderStation) -> None:
    await reader_station.insert(1, VirtualCard(CardKind.UID_ONLY, UID))
    cards = [reader["card"] for reader in (await reader_station.state())["readers"]]
    assert cards[1]["uid"] == UID.hex()
    assert [card is not None for card in cards] == [False, True, False, False]


async def test_cards_stay_where_they_lie_when_pcscd_is_killed(reader_station: ReaderStation) -> None:
    reader = reader_station.readers[1]
    await reader.insert(VirtualCard(CardKind.UID_ONLY, UID))
    await reader.pull(Verb.PCSCD_KILL)
    state = await reader_station.state()
    assert state["pcscd"] is False
    assert state["readers"][1]["card"]["uid"] == UID.hex()
    assert all(Fault(Verb.PCSCD_KILL) in one.faults() for one in reader_station.readers)
    await reader.pull(Verb.PCSCD_KILL, on=False)
    state = await reader_station.state()
    assert state["pcscd"] is True and state["readers"][1]["card"]["uid"] == UID.hex()
    assert not any(one.faults() for one in reader_station.readers)


async def test_a_reader_knows_its_faults(reader_station: ReaderStation) -> None:
    first, second = reader_station.readers[:2]
    await first.pull(Verb.SLOW)
    await first.pull(Verb.TORN_CARD)
    await second.pull(Verb.UNPLUG)
    assert first.faults() == (Fault(Verb.SLOW, AMOUNTS[Verb.SLOW]), Fault(Verb.TORN_CARD))
    assert second.faults() == (Fault(Verb.UNPLUG),)
    await first.insert(VirtualCard(CardKind.UID_ONLY, UID))
    await reader_station.state()
    assert first.faults() == (Fault(Verb.SLOW, AMOUNTS[Verb.SLOW]),), "a torn card happens once"
    for verb, amount in ((Verb.PAPER_OUT, None), (Verb.SLOW, -1)):
        with pytest.raises(ValueError, match=verb):
            await first.pull(verb, amount=amount)
    assert set(first.verbs()) >= {fault.verb for fault in first.faults()}


async def test_bad_commands_are_refused_and_change_nothing(reader_station: ReaderStation) -> None:
    with pytest.raises(StationRefused, match="IndexError"):
        await reader_station.insert(99, VirtualCard(CardKind.UID_ONLY, UID))
    unknown_verb = b'{"do": "fault", "reader": 0, "verb": "burn", "on": true}\n'
    for line in (
        unknown_verb,
        b"not json\n",
        b"{}\n",
        b'{"do": "insert", "reader": 0, "card": {"kind": "gold"}}\n',
        b"\n",
    ):
        reader, writer = await asyncio.open_unix_connection(
            reader_station.socket_path.with_name("station.sock")
        )
        writer.write(line)
        assert "error" in json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
    assert not any(reader["card"] for reader in (await reader_station.state())["readers"])


async def test_a_path_too_long_for_a_socket_is_said_at_once(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    with pytest.raises(StationUnavailable, match="path_too_long"):
        await ReaderStation.start(deep)


async def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StationUnavailable) as caught:
        await ReaderStation.start(tmp_path)
    assert caught.value.reason == "unshare_missing"
    assert caught.value.next_step == "install util-linux"


async def test_a_station_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbidding = tmp_path / "unshare"
    forbidding.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    forbidding.chmod(0o755)
    pcscd = tmp_path / "pcscd"
    pcscd.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(reader_station_module, "VPCD_LIBRARY", pcscd)
    with pytest.raises(StationUnavailable, match="Operation not permitted"):
        await ReaderStation.start(tmp_path)


def test_it_dies_with_its_owner(started_station: ReaderStation) -> None:
    del started_station  # only asked for so that a machine without pcscd skips this too
    with tempfile.TemporaryDirectory(prefix="station-") as folder:
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert owner.stdin is not None and owner.stdout is not None
        station_pid = int(owner.stdout.readline())
        processes = [station_pid, *children(station_pid)]
        assert len(processes) == 3, "unshare, the station, pcscd"
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        deadline_s = time.monotonic() + 10
        while any(alive(pid) for pid in processes):
            assert time.monotonic() < deadline_s, "the station outlived its owner"
            time.sleep(0.02)
        owner.stdin.close()
        owner.stdout.close()


def children(pid: int) -> list[int]:
    direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return direct + [grandchild for child in direct for grandchild in children(child)]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
